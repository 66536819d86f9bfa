#include "module/master/exports.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "module/config.h"
#include "module/master/destroy_elsewhere.h"
#include "module/master/requests.h"
#include "module/master/table.h"
#include "module/protocol/replies.h"
#include "module/redis/client_list.h"
#include "module/redis/context.h"
#include "module/redis/guard.h"
#include "module/redis/log.h"
#include "module/redis/reply_fields.h"
#include "module/redis/server.h"
#include "module/thread_cpu_time.h"
#include "rdmasync/number.h"

namespace rdmasync::master {

namespace {

std::int64_t number(std::string_view text) {
  const auto value = to_number<std::int64_t>(text);
  if (!value) {
    throw Error(Errc::kProtocol, "'" + std::string(text) + "' is not a number");
  }
  return *value;
}

/// The address at which a client reached this server, without the port.
std::string local_address(RedisModuleCtx* ctx, Export::ClientId client) {
  const redis::ClientList list(ctx, {"ID", std::to_string(client)});
  if (list.clients().empty()) {
    return {};
  }
  std::string_view address = list.clients().front().field("laddr");
  address = address.substr(0, address.rfind(':'));
  if (address.size() > 2 && address.front() == '[') {
    address = address.substr(1, address.size() - 2);
  }
  return std::string(address);
}

// Without a backlog the offset stands still and no partial resync is possible. The server makes one
// when a replica asks for its first sync; an attaching replica does so and hangs up before the
// server forks for it, which is sure when the server waits an hour for others to come first.
const redis::HeldSettings::Values while_priming = {
    {"repl-diskless-sync", "yes"},
    {"repl-diskless-sync-delay", "3600"},
    {"repl-diskless-sync-max-replicas", "0"},
};

// From the cut on, while a replica loads, all that is written waits here for it. Memory is used
// only as far as writes come.
constexpr std::int64_t kHeldBacklog = 256 << 20;

// There is one slice in a turn of the event loop. On a master that is busy with clients, whose
// turns are long, it would be too little for the export ever to catch up with the writers. So it
// may keep those clients waiting longer by this part, up to that.
constexpr int kPartOfTurn = 8;
constexpr std::chrono::microseconds kLongestPart{1500};

/// Where modules may not read all that there is.
void refuse_in_cluster(RedisModuleCtx* ctx) {
  if (!redis::in_cluster()) {
    return;
  }
  if (!redis::has(ctx, redis::kCluster)) {
    throw Error(Errc::kRefused,
                "the master has no CLUSTER, which rdmasync calls there: leave out its "
                "rename-command");
  }
  const auto cluster = redis::cluster_state();
  if (cluster.slots_migrate) {
    throw Error(Errc::kRefused, kSlotsMigrate);
  }
  if (!cluster.is_up) {
    throw Error(Errc::kBusy, "the cluster is down, and lets nobody read (CLUSTER INFO)");
  }
}

/// How a CUT that has waited is answered.
struct CutAnswer {
  protocol::CutReply reply;
  std::optional<Error> error;
};

int reply_to_cut(RedisModuleCtx* ctx, RedisModuleString**, int) {
  return redis::reply_guard(ctx, [ctx] {
    const auto* answer = static_cast<const CutAnswer*>(redis::GetBlockedClientPrivateData(ctx));
    if (answer->error) {
      throw Error(*answer->error);
    }
    redis::reply_fields(ctx, to_fields(answer->reply));
  });
}

void free_cut_answer(RedisModuleCtx*, void* answer) {
  delete static_cast<CutAnswer*>(answer);
}

void unblock(RedisModuleBlockedClient*& cut, CutAnswer answer) {
  redis::UnblockClient(std::exchange(cut, nullptr),
                       std::make_unique<CutAnswer>(std::move(answer)).release());
}

/// Where this client is to read from.
Exports::Place place_for(RedisModuleCtx* ctx, std::string_view fabric) {
  return {std::string(fabric),
          config().bind.empty() ? local_address(ctx, redis::GetClientId(ctx)) : config().bind};
}

std::vector<std::uint32_t> all_of(const rdma::PartKeys& rkeys) {
  std::vector<std::uint32_t> all = {rkeys.first};
  all.insert(all.end(), rkeys.further.begin(), rkeys.further.end());
  return all;
}

}  // namespace

Exports::~Exports() {
  stop_watching();
}

void Exports::heard(Export::ClientId client) {
  const auto reader = readers_.find(client);
  if (reader != readers_.end()) {
    reader->second.of->heard(client);
  }
}

void Exports::acknowledge(Export::ClientId client, std::uint64_t position) {
  const auto reader = readers_.find(client);  // a late one may come from a replica that was dropped
  if (reader != readers_.end()) {
    reader->second.of->acknowledge(client, position);
  }
}

void Exports::prime(RedisModuleCtx* ctx) {
  redis::log_notice("rdmasync: a replica makes this server create its backlog");
  const auto client = redis::GetClientId(ctx);
  priming_.hold(ctx, client, while_priming);
  psyncs_.exempt(client);
}

void Exports::cut(RedisModuleCtx* ctx) {
  const auto client = redis::GetClientId(ctx);
  hold_backlog(ctx, client);
  Reader& session = reader(client);
  if (const auto reply = session.of->cut(ctx, client)) {
    note_cut(client, *reply);
    redis::reply_fields(ctx, to_fields(*reply));
  } else {
    session.cut = redis::BlockClient(ctx, reply_to_cut, nullptr, free_cut_answer, 0);
  }
}

void Exports::note_cut(Export::ClientId client, const protocol::CutReply& reply) {
  if (reply.again_after_round == 0) {
    psyncs_.was_cut(client, reply.replication_id, reply.offset);
  }
}

void Exports::try_waiting_cuts() {
  for (auto& [client, session] : readers_) {
    if (session.cut == nullptr || (session.of->waits_for_hidden() && redis::is_replica())) {
      continue;
    }
    CutAnswer answer;
    try {
      const auto reply = session.of->cut(nullptr, client);
      if (!reply) {
        continue;
      }
      note_cut(client, *reply);
      answer.reply = *reply;
    } catch (const Error& error) {
      answer.error = error;
    }
    unblock(session.cut, std::move(answer));
  }
}

void Exports::hold_backlog(RedisModuleCtx* ctx, Export::ClientId client) {
  const auto size = number(redis::config_get(ctx, "repl-backlog-size"));
  const auto held = std::max(size, kHeldBacklog);
  redis::HeldSettings::Values values = {{"repl-backlog-size", std::to_string(held)}};
  // The server counts its backlog as data: no key shall be evicted, and no write refused, for it.
  const auto limit = number(redis::config_get(ctx, "maxmemory"));
  if (limit > 0) {
    values["maxmemory"] = std::to_string(limit + held - size);
  }
  backlog_.hold(ctx, client, values);
}

void Exports::attach(RedisModuleCtx* ctx, std::string_view fabric) {
  const auto client = redis::GetClientId(ctx);
  leave(client);

  const auto& wanted = config().fabric;
  if (wanted != "auto" && wanted != fabric) {
    throw Error(Errc::kRefused,
                "the master has rdmasync.fabric " + wanted + ", not " + std::string(fabric));
  }
  if (const auto missing = redis::missing_on_master(ctx); !missing.empty()) {
    throw Error(Errc::kRefused, "the master has no " + missing +
                                    ", which rdmasync calls there: leave out its rename-command");
  }
  refuse_in_cluster(ctx);
  if (redis::is_replica() && !redis::has(ctx, redis::kMemory)) {
    throw Error(Errc::kRefused,
                "the master, which is a replica, has no MEMORY, which rdmasync calls there: leave "
                "out its rename-command");
  }
  try_notifications(ctx);
  const Place place = place_for(ctx, fabric);
  if (Export* running = joinable_at(place)) {
    join(ctx, doors_.at(place), *running);
  } else {
    open(ctx, place);
  }
}

Export* Exports::joinable_at(const Place& place) {
  const auto known = doors_.find(place);
  if (known == doors_.end()) {
    return nullptr;
  }
  for (const auto& running : exports_) {
    if (&running->fabric() == known->second.fabric.get() && running->joinable()) {
      return running.get();
    }
  }
  return nullptr;
}

void Exports::open(RedisModuleCtx* ctx, const Place& place) {
  auto& preparation = preparations_[place];
  const Preparation::Made* made = preparation ? preparation->made() : nullptr;
  const bool used_up = made != nullptr && !made->log;
  if (!preparation || used_up) {
    const auto known = doors_.find(place);
    preparation = std::make_unique<Preparation>(Preparation::Wanted{
        place.fabric, place.address, known == doors_.end() ? nullptr : known->second.fabric.get(),
        static_cast<std::size_t>(config().export_memory)});
  }
  preparation->block(ctx, on_opened, this);
}

int Exports::on_opened(RedisModuleCtx* ctx, RedisModuleString** argv, int) {
  auto* exports = static_cast<Exports*>(redis::GetBlockedClientPrivateData(ctx));
  return redis::reply_guard(ctx, [&] { exports->opened(ctx, redis::view(argv[3])); });
}

void Exports::opened(RedisModuleCtx* ctx, std::string_view fabric) {
  // Much may have happened since.
  refuse_in_cluster(ctx);
  refuse_where_no_cut_can_be(ctx);
  const Place place = place_for(ctx, fabric);
  Export* joined = joinable_at(place);
  const auto preparation = preparations_.find(place);
  Preparation::Made* made =
      preparation == preparations_.end() ? nullptr : preparation->second->made();
  if (joined == nullptr && made != nullptr) {
    if (made->error) {
      throw Error(*made->error);
    }
    if (made->fabric) {
      doors_[place] = {std::move(made->fabric), std::move(made->listener)};
    }
    if (made->log) {
      joined = &begin_export(place, std::move(made->log));
    }
  }
  if (joined == nullptr) {
    throw Error(Errc::kBusy, "the export has begun without this replica: attach again");
  }
  join(ctx, doors_.at(place), *joined);
}

void Exports::join(RedisModuleCtx* ctx, Door& door, Export& joined) {
  const auto client = redis::GetClientId(ctx);
  const rdma::Token token = rdma::random_token();
  door.listener->admit(token);
  joined.join(client);
  readers_[client] = {token, &door, &joined};
  redis::log_notice(fmt::format("rdmasync: a replica joined export {} over {}",
                                joined.options().number, joined.fabric().name()));

  const log::Ring& log = joined.log();
  redis::reply_fields(ctx, to_fields(protocol::Attached{.endpoint = door.listener->endpoint(),
                                                        .token = token,
                                                        .session = client,
                                                        .log_address = log.header_address(),
                                                        .rkeys = all_of(log.rkeys()),
                                                        .part_size = log.rkeys().part_size,
                                                        .capacity = log.capacity(),
                                                        .export_number = joined.options().number,
                                                        .rdb_version = redis::rdb_version(ctx),
                                                        .server = redis::server_name_and_version(),
                                                        .modules = redis::module_names(ctx),
                                                        .has_backlog = redis::has_backlog(),
                                                        .fills = !redis::is_replica(),
                                                        .keys = redis::keys_by_database()}));
}

Export& Exports::begin_export(const Place& place, std::unique_ptr<log::Ring> log) {
  rdma::Fabric& fabric = *doors_.at(place).fabric;
  if (!waker_) {
    waker_ = std::make_unique<redis::Waker>();
  }
  if (exports_.empty()) {
    turn_began_ = thread_cpu_time();
  }
  Export::Options options;
  options.number = past_.exports + exports_.size() + 1;
  options.pinned_memory = static_cast<std::size_t>(config().pinned_memory);
  options.capture.direct_threshold = fabric.may_register_in_place()
                                         ? static_cast<std::size_t>(config().direct_threshold)
                                         : std::numeric_limits<std::size_t>::max();
  options.part_elements = static_cast<std::size_t>(config().part_elements);
  options.databases = redis::databases();
  options.join_window = std::chrono::milliseconds(config().join_window_ms);
  options.max_rounds = static_cast<int>(config().max_rounds);
  options.cut_max = std::chrono::milliseconds(config().cut_max_ms);
  exports_.push_back(std::make_unique<Export>(fabric, std::move(log), options,
                                              [waker = waker_.get()] { waker->wake(); }));
  start_watching(*this);
  return *exports_.back();
}

/// What a preparation has made is taken at once, or, its replica being gone, not at all.
void Exports::forget_preparations() {
  constexpr std::chrono::seconds kLongEnough{1};
  for (auto it = preparations_.begin(); it != preparations_.end();) {
    const auto since = it->second->over_since();
    if (since && Export::Clock::now() > *since + kLongEnough) {
      destroy_elsewhere(std::move(it->second));
      it = preparations_.erase(it);
    } else {
      ++it;
    }
  }
}

Exports::Reader& Exports::reader(Export::ClientId client) {
  const auto found = readers_.find(client);
  if (found == readers_.end()) {
    throw Error(Errc::kProtocol, "this connection is in no export (any more): attach first");
  }
  return found->second;
}

void Exports::leave(Export::ClientId client) {
  const auto found = readers_.find(client);
  if (found == readers_.end()) {
    return;
  }
  Reader left = found->second;
  readers_.erase(found);
  if (left.cut != nullptr) {
    unblock(left.cut, {.reply = {}, .error = Error(Errc::kPeerLost, "the export has ended")});
  }
  left.door->listener->revoke(left.token);
  left.of->leave(client);
  if (left.of->replicas() == 0) {
    end(*left.of);
  }
}

void Exports::end(Export& ended) {
  const auto found = std::find_if(exports_.begin(), exports_.end(),
                                  [&](const auto& candidate) { return candidate.get() == &ended; });
  const auto& totals = ended.publisher().totals();
  redis::log_notice(fmt::format(
      "rdmasync: export {} ended: {} direct, {} packed, {} parts, {} bytes through the log",
      ended.options().number, totals.direct, totals.packed, totals.parts, ended.log().head()));
  ++past_.exports;
  past_.cut_max_us = std::max(past_.cut_max_us, ended.cut_max_us());
  past_.direct += ended.publisher().totals().direct;
  past_.packed += ended.publisher().totals().packed;
  past_.parts += ended.publisher().totals().parts;
  past_.whole_in_cut += ended.whole_in_cut();
  past_.ring_bytes += ended.log().head();
  exports_.erase(found);
  if (exports_.empty()) {
    stop_watching();
  }
}

void Exports::client_gone(Export::ClientId client) {
  psyncs_.client_gone(client);
  priming_.release(client);
  backlog_.release(client);
  leave(client);
}

void Exports::before_sleep() {
  if (exports_.empty()) {
    return;
  }
  const auto cpu_before = thread_cpu_time();
  const auto part = std::min((cpu_before - turn_began_) / kPartOfTurn, kLongestPart);
  const auto slice = std::max(std::chrono::microseconds(config().slice_us), part);
  const auto share = slice / exports_.size();
  std::vector<std::pair<Export*, std::string>> broken;
  for (const auto& running : exports_) {
    try {
      // From now on, not from the start of all: one that overruns takes nothing from the next.
      running->pump(Slice(share));
    } catch (const std::exception& error) {
      broken.emplace_back(running.get(), error.what());
    }
  }
  turn_began_ = thread_cpu_time();
  const auto spent = turn_began_ - cpu_before;
  past_.slice_max_us = std::max(past_.slice_max_us, static_cast<std::uint64_t>(spent.count()));
  for (const auto& [running, why] : broken) {
    drop(*running, why);
  }
}

void Exports::capture_hidden() {
  const bool cut_waits = std::any_of(readers_.begin(), readers_.end(),
                                     [](const auto& one) { return one.second.cut != nullptr; });
  // What a cut waits for is of what was written since the last round.
  const auto share = std::chrono::microseconds(config().slice_us) / exports_.size();
  const auto most = cut_waits ? std::chrono::milliseconds(config().cut_max_ms) : share;
  for (const auto& running : exports_) {
    running->capture_hidden(Slice(most));
  }
  if (cut_waits) {
    try_waiting_cuts();
  }
}

void Exports::cron() {
  psyncs_.cron();
  try_waiting_cuts();
  forget_preparations();
  const auto timeout = std::chrono::seconds(config().replica_timeout_s);
  std::vector<Export::ClientId> late;
  for (const auto& running : exports_) {
    for (const auto client : running->silent(timeout)) {
      if (readers_.at(client).cut == nullptr) {  // else it waits for us
        late.push_back(client);
      }
    }
  }
  for (const auto client : late) {
    redis::log_warning(
        fmt::format("rdmasync: dropping a replica that was silent for {} s", timeout.count()));
    disconnect(client);
  }
  // Room may come with the end of a join window, which nothing else tells of.
  if (!exports_.empty()) {
    waker_->wake();
  }
}

void Exports::disconnect(Export::ClientId client) {
  leave(client);
  redis::call(redis::module_context(), redis::kClient, {"KILL", "ID", std::to_string(client)});
}

void Exports::drop(Export& broken, std::string_view why) {
  redis::log_warning(
      fmt::format("rdmasync: export {} is abandoned: {}", broken.options().number, why));
  std::vector<Export::ClientId> clients;
  for (const auto& [client, session] : readers_) {
    if (session.of == &broken) {
      clients.push_back(client);
    }
  }
  for (const auto client : clients) {
    disconnect(client);
  }
}

void Exports::dataset_gone(std::string_view why) {
  while (!exports_.empty()) {
    drop(*exports_.back(), why);
  }
}

void Exports::written(std::uint32_t db, std::string_view key, const NamedChange* change,
                      std::string_view by) {
  for (const auto& running : exports_) {
    running->written(db, key, change, by);
  }
}

bool Exports::follows_parts() const {
  return std::any_of(exports_.begin(), exports_.end(),
                     [](const auto& running) { return running->follows_parts(); });
}

bool Exports::follows_parts_of(std::string_view key) const {
  return std::any_of(exports_.begin(), exports_.end(),
                     [key](const auto& running) { return running->follows_parts_of(key); });
}

void Exports::stop_following_parts() {
  for (const auto& running : exports_) {
    running->stop_following_parts();
  }
}

void Exports::written_silently(std::string_view key, bool groups_only) {
  for (const auto& running : exports_) {
    running->written_silently(key, groups_only);
  }
}

void Exports::written_somewhere(std::string_view key) {
  for (const auto& running : exports_) {
    running->written_somewhere(key);
  }
}

void Exports::written_anywhere(std::string_view command) {
  for (const auto& running : exports_) {
    running->written_anywhere(command);
  }
}

void Exports::flushed(std::uint32_t db) {
  for (const auto& running : exports_) {
    running->flushed(db);
  }
}

void Exports::swapped(std::uint32_t a, std::uint32_t b) {
  for (const auto& running : exports_) {
    running->swapped(a, b);
  }
}

Exports::Stats Exports::stats() const {
  Stats sum = past_;
  sum.exports += exports_.size();
  sum.replicas = readers_.size();
  for (const auto& running : exports_) {
    sum.log_bytes += running->log().capacity();
    sum.pinned_bytes += running->publisher().pinned_bytes() + running->log().capacity();
    sum.cut_max_us = std::max(sum.cut_max_us, running->cut_max_us());
    sum.direct += running->publisher().totals().direct;
    sum.packed += running->publisher().totals().packed;
    sum.parts += running->publisher().totals().parts;
    sum.whole_in_cut += running->whole_in_cut();
    sum.ring_bytes += running->log().head();
  }
  return sum;
}

void Exports::reply_with_table(RedisModuleCtx* ctx, long long limit) const {
  long long rows = 0;
  redis::ReplyWithArray(ctx, redis::kPostponedLength);
  for (const auto& running : exports_) {
    rows += reply_with_rows(ctx, running->log(), limit - rows);
  }
  redis::ReplySetArrayLength(ctx, rows);
}

}  // namespace rdmasync::master

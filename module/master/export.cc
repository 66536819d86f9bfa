#include "module/master/export.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <utility>

#include "module/fault.h"
#include "module/master/destroy_elsewhere.h"
#include "module/protocol/psync.h"
#include "module/redis/client_list.h"
#include "module/redis/context.h"
#include "module/redis/log.h"
#include "module/redis/server.h"

namespace rdmasync::master {

using log_format::Kind;
namespace {

// A cut up to this size costs the main thread about a millisecond.
constexpr std::size_t kSmallCutKeys = 512;
constexpr std::size_t kSmallCutBytes = 4U << 20;

// On the fastest of machines.
constexpr std::chrono::microseconds kLeastOfAKey{1};

// Most transactions end at once: waiting for those that are open costs less than a second scan.
constexpr std::chrono::milliseconds kTransactionPatience{50};

/// What is captured for the cut is read for the client that wants it.
class ForClient {
 public:
  ForClient(Capture& capture, RedisModuleCtx* client) : capture_(capture) {
    capture_.call_for(client);
  }
  ForClient(const ForClient&) = delete;
  ForClient& operator=(const ForClient&) = delete;
  ~ForClient() { capture_.call_for(nullptr); }

 private:
  Capture& capture_;
};

/// A key for a line of text.
std::string shown(std::string_view name) {
  constexpr std::size_t kMost = 64;
  std::string text(name.substr(0, kMost));
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return std::isprint(c) == 0; }, '?');
  return text;
}

}  // namespace

Export::Export(rdma::Fabric& fabric, std::unique_ptr<log::Ring> log, Options options,
               std::function<void()> wake)
    : fabric_(fabric),
      options_(options),
      wake_(std::move(wake)),
      ring_(std::move(log)),
      registrar_(std::make_unique<Registrar>(fabric, wake_)),
      publisher_(*ring_, *registrar_, options_.pinned_memory,
                 [this](std::uint32_t db, std::string_view key, const Error& error) {
                   if (!std::exchange(packed_only_, true)) {
                     redis::log_warning(
                         fmt::format("rdmasync: export {} copies large values from now on: {}",
                                     options_.number, error.what()));
                   }
                   mark_whole(db, key);
                 }),
      capture_(publisher_, large_strings_, options_.capture),
      parts_(capture_, large_strings_, options_.part_elements),
      scan_(capture_, parts_, dirty_, options_.databases),
      transactions_(capture_.select(0)),
      in_cluster_(redis::in_cluster()) {
  if (transactions_.readers()) {
    capture_.remember_streams();
  }
  ring_->progress().keys_estimated = 0;
  for (std::uint32_t db = 0; db < options_.databases; ++db) {
    const auto size = redis::call(capture_.select(db), redis::kDbSize, {});
    ring_->progress().keys_estimated +=
        static_cast<std::uint64_t>(redis::CallReplyInteger(size.get()));
  }
  ring_->show_head();
}

Export::~Export() {
  publisher_.retire_all();
  // Deregistering and unmapping. The registrar, which uses the ring, goes first.
  destroy_elsewhere(
      std::make_shared<std::pair<std::unique_ptr<log::Ring>, std::unique_ptr<Registrar>>>(
          std::move(ring_), std::move(registrar_)));
}

bool Export::joinable() const {
  return ring_->tail() == 0 && Clock::now() < started_ + options_.join_window;
}

void Export::join(ClientId client) {
  sessions_.emplace(client, options_.max_rounds);
  wake_();
}

void Export::leave(ClientId client) {
  sessions_.erase(client);
  release_acknowledged();
}

void Export::acknowledge(ClientId client, std::uint64_t position) {
  Session& session = sessions_.at(client);
  if (position < session.acknowledged || position > ring_->head()) {
    throw Error(Errc::kProtocol, "the replica acknowledged a position that was never published");
  }
  session.acknowledged = position;
  release_acknowledged();
}

std::vector<Export::ClientId> Export::silent(std::chrono::seconds timeout) const {
  std::vector<ClientId> late;
  for (const auto& [client, session] : sessions_) {
    if (session.heard + timeout < Clock::now()) {
      late.push_back(client);
    }
  }
  return late;
}

void Export::release_acknowledged() {
  // Within the join window the log is kept from its start, for those who still come.
  if (sessions_.empty() || Clock::now() < started_ + options_.join_window) {
    return;
  }
  const auto slowest = std::min_element(
      sessions_.begin(), sessions_.end(),
      [](const auto& a, const auto& b) { return a.second.acknowledged < b.second.acknowledged; });
  if (slowest->second.acknowledged <= ring_->tail()) {
    return;
  }
  publisher_.release(slowest->second.acknowledged);
}

void Export::pump(Slice slice) {
  release_acknowledged();
  look_at_transactions();
  if (!scan_begun_) {
    if (transactions_.any() && Clock::now() < started_ + kTransactionPatience) {
      return;
    }
    scan_begun_ = true;
  }
  publisher_.advance();
  bool more = true;
  while (more && !publisher_.congested()) {
    more = step();
    if (slice.is_over()) {
      break;
    }
  }
  publisher_.advance();
  ring_->progress().keys_scanned = scan_.keys_seen();
  ring_->show_head();
  if (more && !publisher_.congested()) {
    wake_();
  }
}

bool Export::step() {
  if (!in_round_) {
    return false;
  }
  if (parts_.any_unread()) {
    parts_.read_on(mark_dirty());
    return true;
  }
  if (!scan_.done()) {
    return scan_.step();
  }
  if (const auto key = dirty_.next_in_round()) {
    capture_now(key->first, key->second, mode());
    return true;
  }
  if (parts_.capture_next(capture_as(mode()))) {
    return true;
  }
  if (dirty_.any_hidden() && !in_cluster_) {  // there the cut shows them
    if (!redis::is_replica()) {
      capture_hidden(Slice({}));  // any more
      return true;
    }
    return false;
  }
  in_round_ = false;
  log::RecordInfo end;
  end.kind = Kind::kRoundEnd;
  publisher_.put(end, {});
  return false;
}

void Export::look_at_transactions() {
  if (transactions_.any() && transactions_.look(capture_.select(0))) {
    scan_again_ = scan_begun_;
  }
}

Capture::Outcome Export::capture_now(std::uint32_t db, const std::string& name,
                                     Capture::Mode mode) {
  const redis::String key = redis::make_string(name);
  if (in_round_ && parts_.add(db, key.get())) {
    dirty_.unmark(db, name);
    return Capture::Outcome::kPublished;
  }
  parts_.forget(db, name);
  const auto outcome = capture_.capture(db, key.get(), mode);
  if (outcome == Capture::Outcome::kAbsent) {
    capture_.tombstone(db, name);
  } else if (outcome == Capture::Outcome::kHidden) {
    dirty_.hide({db, name});
  }
  return outcome;
}

void Export::mark_whole(std::uint32_t db, std::string_view key) {
  parts_.forget(db, key);
  dirty_.mark(db, key);
}

Parts::Whole Export::mark_dirty() {
  return [this](std::uint32_t db, const std::string& name) { dirty_.mark(db, name); };
}

Parts::Whole Export::capture_as(Capture::Mode mode) {
  return [this, mode](std::uint32_t db, const std::string& name) { capture_now(db, name, mode); };
}

void Export::written(std::uint32_t db, std::string_view key, const NamedChange* change,
                     std::string_view by) {
  if (!parts_.written(db, key, change, by)) {
    dirty_.mark(db, key);
  }
}

void Export::stop_following_parts() {
  parts_.stop(mark_dirty());
}

void Export::capture_hidden(Slice slice) {
  while (!publisher_.congested()) {
    const auto key = dirty_.next_hidden();
    if (!key || capture_now(key->first, key->second, mode()) == Capture::Outcome::kHidden) {
      break;
    }
    wake_();
    if (slice.is_over()) {
      break;
    }
  }
}

void Export::begin_round() {
  if (in_round_) {
    return;
  }
  dirty_.begin_round();
  parts_.begin_round();
  if (std::exchange(scan_again_, false)) {
    if (!wrote_anywhere_.empty()) {
      ++scans_for_it_;
    }
    scan_.restart();
  }
  in_round_ = true;
  ++rounds_;
  wake_();
}

bool Export::cut_is_small() {
  if (keys_left() > kSmallCutKeys) {
    return false;
  }
  std::size_t bytes = parts_.changed_bytes();
  std::vector<DirtyKeys::Key> keys;
  dirty_.visit_all([&](std::uint32_t db, const std::string& name) {
    keys.emplace_back(db, name);
    return true;
  });
  for (const auto& [db, name] : keys) {
    const redis::String key = redis::make_string(name);
    bytes += capture_.string_bytes(db, key.get());
    if (parts_.large(db, key.get())) {
      return false;  // a round reads it in slices
    }
  }
  return bytes <= kSmallCutBytes;
}

protocol::CutReply Export::ask_for_a_round(Session& session) {
  if (!in_round_ && session.convergence.put_off(keys_left(), Clock::now())) {
    redis::log_notice(fmt::format(
        "rdmasync: export {} does not converge: after {} rounds {} keys are left, as writes are "
        "faster than the copy; the next small cut is taken, and after {} s any",
        options_.number, rounds_, keys_left(), Convergence::kLongestBurst.count()));
  }
  begin_round();
  protocol::CutReply reply;
  reply.again_after_round = static_cast<std::uint64_t>(rounds_);
  return reply;
}

/// By the next cut, before which the replica says ASKING.
protocol::CutReply Export::ask_to_see_hidden(Session& session) {
  if (!redis::cluster_state().is_up) {
    throw Error(Errc::kBusy, "the cluster is down, and lets nobody read");
  }
  protocol::CutReply reply = ask_for_a_round(session);
  reply.asking = true;
  return reply;
}

/// A partial resync sends no SELECT. So it must be known in which database the stream goes on.
std::optional<std::uint32_t> Export::begin_cut(RedisModuleCtx* ctx) {
  if (redis::is_replica()) {
    const auto db = redis::database_of_stream(redis::module_context());
    if (!db) {
      throw Error(Errc::kBusy, "this server is a replica, and has no link to its own master now");
    }
    return planted(Fault::kAnyDatabase) ? 0 : *db;
  }
  dirty_.show_hidden();
  if (ctx == nullptr) {
    return std::nullopt;
  }
  // First of what this command propagates, before any expiry that it finds.
  constexpr std::uint32_t kFirst = 0;
  redis::SelectDb(ctx, kFirst);
  if (!planted(Fault::kNoPing)) {
    // As long as the filler of a replica must be that was told an offset just before.
    static const std::string payload(protocol::kLeastFiller, '\0');
    redis::Replicate(ctx, "PING", "b", payload.data(), payload.size());
  }
  return kFirst;
}

std::optional<protocol::CutReply> Export::cut(RedisModuleCtx* ctx, ClientId client) {
  Session& session = sessions_.at(client);
  const auto stream_db = begin_cut(ctx);
  if (!stream_db) {
    return ask_for_a_round(session);
  }
  const ForClient cutting(capture_, in_cluster_ ? ctx : nullptr);
  if (in_cluster_ &&
      redis::Info("replication").number("master_repl_offset") < protocol::kRoomForInserts) {
    static const std::string room(protocol::kRoomForInserts, '\0');
    redis::Replicate(ctx, "PING", "b", room.data(), room.size());
    return ask_for_a_round(session);
  }

  // A round for another replica may have published direct records that this one has yet to read:
  // after the cut it would read what was written since.
  const bool unread_direct = publisher_.has_direct_after(session.acknowledged);
  look_at_transactions();
  if (scan_again_ && scans_for_it_ >= options_.max_rounds) {
    throw Error(
        Errc::kResources,
        fmt::format("the command {} names no key, so that all keys are read again whenever it "
                    "runs, and it ran during {} readings: sync when it does not",
                    shown(wrote_anywhere_), scans_for_it_));
  }
  if (in_round_ || scan_again_ || unread_direct || parts_.any_unread()) {
    return ask_for_a_round(session);
  }
  const bool small = cut_is_small();
  if (!small && !session.convergence.ends_by(keys_left(), Clock::now())) {
    return ask_for_a_round(session);
  }

  CutBudget budget(options_.cut_max);
  const std::size_t keys = keys_left();
  const auto too_long = capture_for_cut(budget);
  const auto spent_us = static_cast<std::uint64_t>(budget.spent().count());
  cut_max_us_ = std::max(cut_max_us_, spent_us);
  if (too_long) {
    if (!session.convergence.failed()) {
      return ask_for_a_round(session);
    }
    throw Error(
        Errc::kResources,
        fmt::format(
            "the cut would keep the master's main thread for longer than rdmasync.cut-max-ms "
            "({}): {}; sync when less is written, or raise rdmasync.cut-max-ms on the master",
            options_.cut_max.count(), *too_long));
  }
  if (dirty_.any_hidden()) {
    return in_cluster_ ? std::optional(ask_to_see_hidden(session)) : std::nullopt;
  }

  const redis::Info replication("replication");
  const auto id = replication.text("master_replid");
  const auto offset = replication.number("master_repl_offset");
  redis::log_notice(fmt::format("rdmasync: export {} cut at {}:{} with {} keys in {} us{}",
                                options_.number, id, offset, keys, spent_us,
                                small ? "" : " (writes are faster than the copy)"));

  log::RecordInfo mark;
  mark.kind = Kind::kCut;
  const std::uint64_t session_id = client;
  publisher_.put(mark, {reinterpret_cast<const char*>(&session_id), sizeof(session_id)});
  wake_();

  return protocol::CutReply{.replication_id = id,
                            .offset = offset,
                            .stream_db = *stream_db,
                            .keys = static_cast<std::int64_t>(keys),
                            .us = static_cast<std::int64_t>(spent_us),
                            .forced = !small};
}

std::optional<std::string> Export::capture_for_cut(CutBudget& budget) {
  const std::string left =
      std::to_string(keys_left()) + " keys are left after " + std::to_string(rounds_) + " rounds";
  if (keys_left() * kLeastOfAKey > budget.limit()) {
    return left;
  }
  const auto too_long = capture_everything_dirty(budget);
  if (too_long) {
    return left + too_long.value();
  }
  capture_.functions();
  return std::nullopt;
}

std::optional<std::string> Export::capture_everything_dirty(CutBudget& budget) {
  const auto too_long = [&](std::uint32_t db,
                            const std::string& name) -> std::optional<std::string> {
    const auto cost = capture_.expected_cost(db, redis::make_string(name).get());
    if (budget.allows(cost)) {
      return std::nullopt;
    }
    if (cost < budget.limit() / 2) {
      return std::string();
    }
    return fmt::format(", and copying '{}' of database {} alone takes {} ms{}", shown(name), db,
                       cost.count() / 1000, parts_.why_whole(db, name));
  };

  std::set<DirtyKeys::Key> captured;  // of those that are named again below
  dirty_.begin_round();
  while (const auto key = dirty_.next_in_round()) {
    const auto& [db, name] = *key;
    if (auto why = too_long(db, name)) {
      dirty_.mark(db, name);
      return why;
    }
    tell_of_whole(db, name);
    capture_now(db, name, Capture::Mode::kPacked);
    if (dirty_.silent().contains(name)) {
      captured.insert(*key);
    }
  }
  for (const auto& [name, groups_only] : dirty_.silent()) {
    for (std::uint32_t db = 0; groups_only && db < options_.databases; ++db) {
      if (parts_.groups_written(db, name)) {
        captured.insert({db, name});
      }
    }
  }
  if (!parts_.capture_all(budget, capture_as(Capture::Mode::kPacked))) {
    return "";
  }
  for (const auto& [name, groups_only] : dirty_.silent()) {
    for (std::uint32_t db = 0; db < options_.databases; ++db) {
      if (captured.contains({db, name})) {
        continue;
      }
      if (auto why = too_long(db, name)) {
        return why;
      }
      capture_now(db, name, Capture::Mode::kPacked);
    }
  }
  return std::nullopt;
}

void Export::tell_of_whole(std::uint32_t db, const std::string& name) {
  const redis::String key = redis::make_string(name);
  const auto elements = parts_.large(db, key.get());
  if (!elements) {
    return;
  }
  ++whole_in_cut_;
  redis::log_notice(fmt::format(
      "rdmasync: export {} copies '{}' of database {} as a whole at the cut, {} elements in about "
      "{} ms of the main thread{}",
      options_.number, shown(name), db, *elements,
      capture_.expected_cost(db, key.get()) / std::chrono::milliseconds(1),
      parts_.why_whole(db, name)));
}

void Export::written_silently(std::string_view key, bool groups_only) {
  if (planted(Fault::kNotSticky)) {
    return written_somewhere(key);
  }
  dirty_.mark_silent(key, groups_only);
}

void Export::written_somewhere(std::string_view key) {
  for (std::uint32_t db = 0; db < options_.databases; ++db) {
    mark_whole(db, key);
  }
}

void Export::written_anywhere(std::string_view command) {
  wrote_anywhere_ = command;
  scan_again_ = scan_begun_;
}

void Export::flushed(std::uint32_t db) {
  dirty_.flush(db);
  parts_.flush(db);
  log::RecordInfo info;
  info.kind = Kind::kFlush;
  info.db = db;
  publisher_.put(info, {});
}

void Export::swapped(std::uint32_t a, std::uint32_t b) {
  dirty_.swap(a, b);
  parts_.swap(a, b);
  scan_.swap(a, b);
  // Readers that were blocked before are served now, and nothing tells of which stream.
  for (const auto& name : capture_.streams()) {
    dirty_.mark(a, name);
    dirty_.mark(b, name);
  }
  log::RecordInfo info;
  info.kind = Kind::kSwap;
  info.db = a;
  publisher_.put(info, {reinterpret_cast<const char*>(&b), sizeof(b)});
}

}  // namespace rdmasync::master

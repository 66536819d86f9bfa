#include "module/master/psync_answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "module/config.h"
#include "module/fault.h"
#include "module/protocol/psync.h"
#include "module/protocol/replies.h"
#include "module/protocol/requests.h"
#include "module/redis/command_filter.h"
#include "module/redis/context.h"
#include "module/redis/log.h"
#include "module/redis/reply_fields.h"
#include "module/redis/server.h"
#include "rdmasync/error.h"
#include "rdmasync/number.h"
#include "rdmasync/protocol.h"

namespace rdmasync::master {

namespace {

// A replica's module and its server come at the same time. Then its server asks again in a second.
constexpr std::chrono::milliseconds kPatience{700};
// Of a host where a module has said hello, and not yet which link is its own.
constexpr std::chrono::seconds kPatienceAfterHello{2};
// A server gives an unanswered PSYNC up after its repl-timeout, of a minute or so.
constexpr std::chrono::seconds kLongest{20};
// One that was just made, or has just lost a master, is up in a moment.
constexpr std::chrono::seconds kUntilClusterIsUp{5};
// Within which a server that was told to ask again does so.
constexpr std::chrono::seconds kPassLasts{10};

/// How a PSYNC is answered: an error, or a full resync and commands of its stream.
struct Answer {
  std::string error;
  std::string line;
  std::string stub;
  std::int64_t inserts = 0;
};

int reply_to_psync(RedisModuleCtx* ctx, RedisModuleString**, int) {
  const auto* answer = static_cast<const Answer*>(redis::GetBlockedClientPrivateData(ctx));
  if (!answer->error.empty()) {
    return redis::ReplyWithError(ctx, answer->error.c_str());
  }
  redis::ReplyWithSimpleString(ctx, answer->line.c_str());
  redis::ReplyWithStringBuffer(ctx, answer->stub.data(), answer->stub.size());
  for (std::int64_t i = 0; i < answer->inserts; ++i) {
    redis::ReplyWithArray(ctx, 1);
    redis::reply_text(ctx, protocol::kInsertCommand);
  }
  return redis::kOk;
}

void free_answer(RedisModuleCtx*, void* answer) {
  delete static_cast<Answer*>(answer);
}

void unblock(RedisModuleBlockedClient* client, Answer answer) {
  redis::UnblockClient(client, std::make_unique<Answer>(std::move(answer)).release());
}

int reply_to_await(RedisModuleCtx* ctx, RedisModuleString**, int) {
  const bool waits = redis::GetBlockedClientPrivateData(ctx) != nullptr;
  redis::reply_fields(ctx, to_fields(protocol::Waits{waits}));
  return redis::kOk;
}

/// `waits`: any address; it only has to be one.
void end_await(RedisModuleBlockedClient* client, void* waits) {
  redis::UnblockClient(client, waits);
}

protocol::History history() {
  const redis::Info info("replication");
  return {.id = info.text("master_replid"),
          .second_id = info.text("master_replid2"),
          .second_offset = info.number("second_repl_offset"),
          .backlog_first = info.number("repl_backlog_first_byte_offset"),
          .backlog_length = info.number("repl_backlog_histlen"),
          .backlog = info.number("repl_backlog_active") != 0};
}

/// Empty if the client is gone.
std::string address_of(PsyncAnswers::ClientId client) {
  RedisModuleClientInfo info{};
  info.version = redis::kClientInfoVersion;
  if (redis::GetClientInfoById(&info, client) != redis::kOk) {
    return {};
  }
  return std::string(info.addr) + ":" + std::to_string(info.port);
}

std::string host_of(const std::string& address) {
  return address.substr(0, address.rfind(':'));
}

/// Whether the client's user may run what its PSYNC is to become.
bool may_be_answered(PsyncAnswers::ClientId client) {
  const redis::String name{redis::GetClientUserNameById(redis::module_context(), client)};
  if (!name) {
    return false;
  }
  const redis::User user{redis::GetModuleUserFromUserName(name.get())};
  const redis::String command = redis::make_string(protocol::kExportCommand);
  const redis::String subcommand = redis::make_string(protocol::request::Psync::kName);
  std::array argv = {command.get(), subcommand.get()};
  return user && redis::ACLCheckCommandPermissions(user.get(), argv.data(),
                                                   static_cast<int>(argv.size())) == redis::kOk;
}

}  // namespace

void PsyncAnswers::filter(RedisModuleCommandFilterCtx* command) {
  constexpr int kArguments = 3;  // one more asks for a failover, which is the server's
  if (!config().accelerate || redis::CommandFilterArgsCount(command) != kArguments) {
    return;
  }
  const std::string id(redis::view(redis::CommandFilterArgGet(command, 1)));
  const auto offset =
      to_number<std::int64_t>(redis::view(redis::CommandFilterArgGet(command, 2))).value_or(-1);
  if (const auto* session = sessions_.find(id)) {
    const auto past = history();
    if (session->is_whole(offset) && past.continues(session->replication_id, offset)) {
      redis::CommandFilterArgReplace(command, 1,
                                     redis::make_string(session->replication_id).release());
      return;
    }
    // Filler is of use only if what comes after it is still there.
    if (session->lacks_filler(offset) &&
        past.continues(session->replication_id, session->cut.value() + 1)) {
      redis::become(command, protocol::request::Fill::kName);
      return;
    }
  } else if (history().continues(id, offset)) {
    return;
  }
  constexpr int kNotNow = redis::kCtxLoading | redis::kCtxAsyncLoading;
  if ((redis::GetContextFlags(redis::module_context()) & kNotNow) != 0) {
    return;
  }
  if (redis::is_replica() &&
      (redis::in_cluster() || redis::Info("replication").text("master_link_status") != "up")) {
    return;  // the server refuses it, or tells it to wait
  }
  if (redis::in_cluster() && left_by_cluster(command)) {
    return;
  }
  const auto client = redis::client_of(command, "replconf");
  if (!client) {
    left("a replica", "which client says PSYNC cannot be told");
    return;
  }
  const std::string address = address_of(*client);
  if (exempt_.contains(*client) || may_pass(address)) {
    return;
  }
  if (!may_be_answered(*client)) {
    left("the replica at " + address,
         std::string("its user has no permission for ") + protocol::kExportCommand);
    return;
  }
  redis::become(command, protocol::request::Psync::kName);
}

void PsyncAnswers::filter_sync(RedisModuleCommandFilterCtx* command) {
  if (waiting_.empty()) {
    return;
  }
  const auto client = redis::client_of(command, "");
  if (client && waiting_.contains(*client)) {
    redis::become(command, protocol::request::AskAgain::kName);
  }
}

/// Whether the cluster is why this PSYNC is not for the module.
bool PsyncAnswers::left_by_cluster(RedisModuleCommandFilterCtx* command) {
  try {
    const auto cluster = redis::cluster_state();
    if (cluster.slots_migrate) {
      left("a replica", kSlotsMigrate);
      return true;
    }
    if (cluster.is_up) {
      cluster_down_since_.reset();
      return false;
    }
  } catch (const Error& error) {
    left("a replica", error.what());
    return true;
  }
  if (!cluster_down_since_) {
    cluster_down_since_ = Clock::now();
  }
  if (Clock::now() - *cluster_down_since_ < kUntilClusterIsUp) {
    redis::become(command, protocol::request::AskAgain::kName);
  } else {
    left("a replica", "the cluster is down, and lets nobody read (CLUSTER INFO)");
  }
  return true;
}

void PsyncAnswers::see_replconf(RedisModuleCommandFilterCtx* command) {
  // Of Redis (since 8.0) and of Valkey (since 8.0).
  constexpr std::array<std::string_view, 3> kOfSecondConnection = {
      "main-ch-client-id", "rdb-channel", "set-rdb-client-id"};
  for (int i = 1; i < redis::CommandFilterArgsCount(command); i += 2) {
    const auto what = redis::view(redis::CommandFilterArgGet(command, i));
    if (std::find(kOfSecondConnection.begin(), kOfSecondConnection.end(), what) ==
        kOfSecondConnection.end()) {
      continue;
    }
    if (const auto client = redis::client_of(command, "")) {
      exempt(*client);
    }
  }
}

/// Whether the server is to answer a PSYNC from there.
bool PsyncAnswers::may_pass(const std::string& address) {
  if (const Replica* known = replica_at(address)) {
    return known->declined;
  }
  if (is_awaited_from(address)) {
    return false;  // the pass may be somebody else's there
  }
  std::erase_if(passes_, [](const auto& pass) { return pass.second < Clock::now(); });
  const auto pass = passes_.find(host_of(address));
  if (pass == passes_.end()) {
    return false;
  }
  passes_.erase(pass);
  return true;
}

void PsyncAnswers::psync(RedisModuleCtx* ctx) {
  const ClientId client = redis::GetClientId(ctx);
  Waiting waiting;
  waiting.address = address_of(client);
  waiting.client = redis::BlockClient(ctx, reply_to_psync, nullptr, free_answer, 0);
  const auto& known = waiting_.insert_or_assign(client, std::move(waiting)).first->second;
  if (Replica* replica = replica_at(known.address)) {
    tell(*replica);
  }
}

void PsyncAnswers::fill(RedisModuleCtx* ctx, const std::string& session, std::int64_t offset) {
  const auto* known = sessions_.find(session);
  if (known == nullptr || !known->lacks_filler(offset)) {
    throw Error(Errc::kProtocol, "this session lacks no filler");
  }
  reply_with_filler(ctx, session, *known, offset);
}

void PsyncAnswers::hello(ClientId control) {
  if (replicas_.contains(control)) {
    return;
  }
  const std::string host = host_of(address_of(control));
  greetings_.try_emplace(control, Greeting{host, Clock::now() + kPatienceAfterHello});
  // It may be its own, got by a PSYNC of which its module had not heard, and its next link is none
  // for the server. If it was another's, that one asks once more.
  if (const auto pass = passes_.find(host); pass != passes_.end()) {
    passes_.erase(pass);
  }
}

void PsyncAnswers::native(ClientId control, std::set<std::string> addresses) {
  // A replica answers its own PSYNCs, and nobody else's.
  Replica& replica = replica_of(control);
  for (const std::string& address : addresses) {
    if (host_of(address) != replica.host && !planted(Fault::kAnyHello)) {
      throw Error(
          Errc::kUsage,
          fmt::format("this connection comes from {}, and the link from {}: not the same host",
                      replica.host, address));
    }
  }
  greetings_.erase(control);
  replica.addresses = std::move(addresses);
  tell(replica);
}

void PsyncAnswers::await(RedisModuleCtx* ctx, std::chrono::milliseconds time) {
  if (!config().accelerate) {
    throw Error(Errc::kRefused, "the master has rdmasync.accelerate no");
  }
  Replica& replica = replica_of(redis::GetClientId(ctx));
  if (time <= std::chrono::milliseconds::zero()) {
    redis::reply_fields(ctx, to_fields(protocol::Waits{psync_of(replica) != nullptr}));
    return;
  }
  replica.awaiting = redis::BlockClient(ctx, reply_to_await, nullptr, nullptr, 0);
  replica.awaits_until = Clock::now() + time;
  tell(replica);
}

protocol::Answered PsyncAnswers::answer(ClientId control, std::string_view session,
                                        std::string_view stub, std::int64_t inserts) {
  Replica& replica = replica_of(control);
  if (session.size() != protocol::kIdLength) {
    throw Error(Errc::kProtocol, "a session has 40 hexadecimal digits");
  }
  Waiting* waiting = psync_of(replica);
  if (waiting == nullptr) {
    return {};
  }
  const Cut at = replica.cut ? *replica.cut : now();
  const std::int64_t begin = at.offset - protocol::bytes_of_inserts(inserts);
  if (inserts < 0 || begin < 0 || (inserts > 0 && !replica.cut)) {
    throw Error(Errc::kProtocol, "there is no room in the stream for so many insertions");
  }
  replica.session = session;
  sessions_.add(replica.session, {.replication_id = at.replication_id,
                                  .begin = begin,
                                  .cut = replica.cut ? std::optional(at.offset) : std::nullopt,
                                  .inserts = inserts > 0});
  redis::log_notice(fmt::format("rdmasync: the PSYNC of {} is answered at {}:{}{}",
                                waiting->address, at.replication_id, begin,
                                replica.cut ? "" : ", before the cut"));
  unblock(waiting->client, {.error = {},
                            .line = protocol::full_resync_line(
                                planted(Fault::kRealId) ? at.replication_id : session, begin),
                            .stub = std::string(stub),
                            .inserts = inserts});
  std::erase_if(waiting_, [&](const auto& one) { return &one.second == waiting; });
  return {.psync = true, .offset = begin};
}

void PsyncAnswers::later(ClientId control, std::string_view reason) {
  if (Waiting* waiting = psync_of(replica_of(control))) {
    ask_again(*waiting, reason);
    std::erase_if(waiting_, [&](const auto& one) { return &one.second == waiting; });
  }
}

void PsyncAnswers::decline(ClientId control, std::string_view reason) {
  Replica& replica = replica_of(control);
  replica.declined = true;
  sessions_.forget(replica.session);
  const Waiting* waiting = psync_of(replica);
  if (waiting != nullptr) {
    leave_to_server(std::string(waiting->address), reason);  // as it is erased
  } else if (!replica.addresses.empty()) {
    leave_to_server(*replica.addresses.begin(), reason);
  }
}

void PsyncAnswers::was_cut(ClientId control, const std::string& replication_id,
                           std::int64_t offset) {
  Replica& replica = replica_of(control);
  replica.cut = {replication_id, offset};
  sessions_.was_cut(replica.session, offset);
}

PsyncAnswers::Cut PsyncAnswers::now() {
  const redis::Info replication("replication");
  return {replication.text("master_replid"), replication.number("master_repl_offset")};
}

PsyncAnswers::Replica& PsyncAnswers::replica_of(ClientId control) {
  const auto [found, is_new] = replicas_.try_emplace(control);
  if (is_new) {
    found->second.host = host_of(address_of(control));
  }
  return found->second;
}

PsyncAnswers::Replica* PsyncAnswers::replica_at(const std::string& address) {
  const auto found = std::find_if(replicas_.begin(), replicas_.end(), [&](const auto& one) {
    return one.second.addresses.contains(address);
  });
  return found == replicas_.end() ? nullptr : &found->second;
}

PsyncAnswers::Waiting* PsyncAnswers::psync_of(const Replica& replica) {
  const auto found = std::find_if(waiting_.begin(), waiting_.end(), [&](const auto& one) {
    return replica.addresses.contains(one.second.address);
  });
  return found == waiting_.end() ? nullptr : &found->second;
}

void PsyncAnswers::tell(Replica& replica) {
  Waiting* waiting = psync_of(replica);
  if (waiting == nullptr) {
    return;
  }
  waiting->was_known = true;
  if (replica.awaiting != nullptr) {
    end_await(std::exchange(replica.awaiting, nullptr), waiting);
  }
}

bool PsyncAnswers::is_awaited_from(const std::string& address) {
  const std::string host = host_of(address);
  return std::any_of(greetings_.begin(), greetings_.end(),
                     [&](const auto& one) {
                       return one.second.host == host && Clock::now() < one.second.until;
                     }) ||
         std::any_of(replicas_.begin(), replicas_.end(), [&](const auto& one) {
           const Replica& replica = one.second;
           return replica.host == host && !replica.declined && replica.session.empty() &&
                  psync_of(replica) == nullptr;
         });
}

bool PsyncAnswers::is_unknown_for_too_long(const Waiting& waiting) {
  const auto unknown_for = Clock::now() - waiting.unknown_since;
  return unknown_for > kPatience &&
         (unknown_for > kPatienceAfterHello || !is_awaited_from(waiting.address));
}

/// Every server takes an error with this first word as one that passes.
void PsyncAnswers::ask_again(Waiting& waiting, std::string_view reason) {
  unblock(
      waiting.client,
      {.error = "LOADING rdmasync: " + std::string(reason), .line = {}, .stub = {}, .inserts = 0});
}

void PsyncAnswers::leave_to_server(const std::string& address, std::string_view reason) {
  left("the replica at " + address, reason);
  passes_.emplace(host_of(address), Clock::now() + kPassLasts);
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    if (it->second.address == address) {
      ask_again(it->second, reason);
      it = waiting_.erase(it);
    } else {
      ++it;
    }
  }
}

void PsyncAnswers::left(const std::string& whose, std::string_view reason) {
  last_left_ = reason;
  redis::log_notice(fmt::format("rdmasync: {} gets the server's own full sync: {}", whose, reason));
}

void PsyncAnswers::client_gone(ClientId client) {
  exempt_.erase(client);
  greetings_.erase(client);
  const auto waiting = waiting_.find(client);
  if (waiting != waiting_.end()) {
    ask_again(waiting->second, "gone");
    waiting_.erase(waiting);
  }
  const auto replica = replicas_.find(client);
  if (replica != replicas_.end()) {
    if (replica->second.awaiting != nullptr) {
      end_await(replica->second.awaiting, nullptr);
    }
    replicas_.erase(replica);
  }
}

void PsyncAnswers::cron() {
  const auto now = Clock::now();
  for (auto& [control, replica] : replicas_) {
    if (replica.awaiting != nullptr && now >= replica.awaits_until) {
      end_await(std::exchange(replica.awaiting, nullptr), nullptr);
    }
  }
  std::vector<std::string> unknown;
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    Waiting& waiting = it->second;
    std::string_view ended;
    if (replica_at(waiting.address) != nullptr) {
      waiting.unknown_since = now;
    } else if (is_unknown_for_too_long(waiting)) {
      // One whose module was there may have lost its cable: the next link is still for the module.
      if (waiting.was_known) {
        ended = "its module has gone";
      } else {
        unknown.push_back(waiting.address);
      }
    }
    if (now - waiting.since > kLongest) {
      ended = "the dataset is being copied";
    }
    if (ended.empty()) {
      ++it;
    } else {
      ask_again(waiting, ended);
      it = waiting_.erase(it);
    }
  }
  for (const std::string& address : unknown) {
    leave_to_server(address, "no rdmasync has said that it has this link");
  }
}

}  // namespace rdmasync::master

#include "module/master/psync_answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "module/config.h"
#include "module/number.h"
#include "module/protocol/export.h"
#include "module/protocol/psync.h"
#include "module/redis/command_filter.h"
#include "module/redis/context.h"
#include "module/redis/log.h"
#include "module/redis/reply_fields.h"
#include "module/redis/server.h"
#include "rdmasync/error.h"
#include "rdmasync/protocol.h"

namespace rdmasync::master {

namespace {

// A replica's module and its server come at the same time. Then its server asks again in a second.
constexpr std::chrono::milliseconds kPatience{700};
// A server gives an unanswered PSYNC up after its repl-timeout, of a minute or so.
constexpr std::chrono::seconds kLongest{20};
// Within which a server that was told to ask again does so.
constexpr std::chrono::seconds kPassLasts{10};
// Each costs a few hundred bytes, and is of no use once the backlog has moved on.
constexpr std::size_t kMostSessions = 64;

/// How a PSYNC is answered: an error, or a full resync.
struct Answer {
  std::string error;
  std::string line;
  std::string stub;
};

int reply_to_psync(RedisModuleCtx* ctx, RedisModuleString**, int) {
  const auto* answer = static_cast<const Answer*>(redis::GetBlockedClientPrivateData(ctx));
  if (!answer->error.empty()) {
    return redis::ReplyWithError(ctx, answer->error.c_str());
  }
  redis::ReplyWithSimpleString(ctx, answer->line.c_str());
  return redis::ReplyWithStringBuffer(ctx, answer->stub.data(), answer->stub.size());
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
  const redis::String subcommand = redis::make_string(protocol::kPsync);
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
  const auto session = sessions_.find(id);
  const std::string& real_id = session == sessions_.end() ? id : session->second.replication_id;
  // Before its cut a session has no bytes of the stream.
  const bool whole = session == sessions_.end() || offset == session->second.offset + 1;
  if (whole && history().continues(real_id, offset)) {
    if (session != sessions_.end()) {
      redis::CommandFilterArgReplace(command, 1, redis::make_string(real_id).release());
    }
    return;
  }
  constexpr int kNotNow =
      redis::kCtxSlave | redis::kCtxCluster | redis::kCtxLoading | redis::kCtxAsyncLoading;
  if ((redis::GetContextFlags(redis::module_context()) & kNotNow) != 0) {
    return;
  }
  const auto client = redis::client_of(command, "replconf");
  if (!client) {
    redis::log_notice("rdmasync: a PSYNC is left to the server: its client cannot be told");
    return;
  }
  const std::string address = address_of(*client);
  if (exempt_.contains(*client) || may_pass(address)) {
    return;
  }
  if (!may_be_answered(*client)) {
    redis::log_notice("rdmasync: the PSYNC of " + address +
                      " is left to the server: its user has no permission for " +
                      protocol::kExportCommand);
    return;
  }
  redis::CommandFilterArgInsert(command, 0, redis::make_string(protocol::kExportCommand).release());
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

void PsyncAnswers::native(ClientId control, std::set<std::string> addresses) {
  // A replica answers its own PSYNCs, and nobody else's.
  const std::string host = host_of(address_of(control));
  for (const std::string& address : addresses) {
    if (host_of(address) != host) {
      throw Error(
          Errc::kUsage,
          fmt::format("this connection comes from {}, and the link from {}: not the same host",
                      host, address));
    }
  }
  Replica& replica = replicas_[control];
  replica.addresses = std::move(addresses);
  tell(replica);
}

void PsyncAnswers::await(RedisModuleCtx* ctx, std::chrono::milliseconds time) {
  if (!config().accelerate) {
    throw Error(Errc::kRefused, "the master has rdmasync.accelerate no");
  }
  Replica& replica = replicas_[redis::GetClientId(ctx)];
  if (time <= std::chrono::milliseconds::zero()) {
    redis::reply_fields(ctx, to_fields(protocol::Waits{psync_of(replica) != nullptr}));
    return;
  }
  replica.awaiting = redis::BlockClient(ctx, reply_to_await, nullptr, nullptr, 0);
  replica.awaits_until = Clock::now() + time;
  tell(replica);
}

bool PsyncAnswers::answer(ClientId control, std::string_view session, std::string_view stub) {
  Replica& replica = replicas_[control];
  if (!replica.cut) {
    throw Error(Errc::kProtocol, "there was no cut on this connection: nothing to answer with");
  }
  if (session.size() != protocol::kIdLength) {
    throw Error(Errc::kProtocol, "a session has 40 hexadecimal digits");
  }
  Waiting* waiting = psync_of(replica);
  if (waiting == nullptr) {
    return false;
  }
  if (sessions_by_age_.size() == kMostSessions) {
    sessions_.erase(sessions_by_age_.front());
    sessions_by_age_.erase(sessions_by_age_.begin());
  }
  replica.session = session;
  sessions_by_age_.emplace_back(session);
  sessions_[std::string(session)] = *replica.cut;
  redis::log_notice(fmt::format("rdmasync: the PSYNC of {} is answered at {}:{}", waiting->address,
                                replica.cut->replication_id, replica.cut->offset));
  unblock(waiting->client, {.error = {},
                            .line = protocol::full_resync_line(session, replica.cut->offset),
                            .stub = std::string(stub)});
  std::erase_if(waiting_, [&](const auto& one) { return &one.second == waiting; });
  return true;
}

void PsyncAnswers::later(ClientId control, std::string_view reason) {
  if (Waiting* waiting = psync_of(replicas_[control])) {
    ask_again(*waiting, reason);
    std::erase_if(waiting_, [&](const auto& one) { return &one.second == waiting; });
  }
}

void PsyncAnswers::decline(ClientId control, std::string_view reason) {
  Replica& replica = replicas_[control];
  replica.declined = true;
  sessions_.erase(replica.session);
  const Waiting* waiting = psync_of(replica);
  if (waiting != nullptr) {
    leave_to_server(waiting->address, reason);
  } else if (!replica.addresses.empty()) {
    leave_to_server(*replica.addresses.begin(), reason);
  }
}

void PsyncAnswers::was_cut(ClientId control, const std::string& replication_id,
                           std::int64_t offset) {
  replicas_[control].cut = {replication_id, offset};
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
  if (waiting != nullptr && replica.awaiting != nullptr) {
    end_await(std::exchange(replica.awaiting, nullptr), waiting);
  }
}

/// Every server takes an error with this first word as one that passes.
void PsyncAnswers::ask_again(Waiting& waiting, std::string_view reason) {
  unblock(waiting.client,
          {.error = "LOADING rdmasync: " + std::string(reason), .line = {}, .stub = {}});
}

/// `address`: a copy, as it may be that of what is erased here.
void PsyncAnswers::leave_to_server(std::string address, std::string_view reason) {
  redis::log_notice(fmt::format("rdmasync: the replica at {} gets the server's own full sync: {}",
                                address, reason));
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

void PsyncAnswers::client_gone(ClientId client) {
  exempt_.erase(client);
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
    if (replica_at(waiting.address) != nullptr) {
      waiting.unknown_since = now;
    } else if (now - waiting.unknown_since > kPatience) {
      unknown.push_back(waiting.address);
    }
    if (now - waiting.since > kLongest) {
      ask_again(waiting, "the dataset is being copied");
      it = waiting_.erase(it);
    } else {
      ++it;
    }
  }
  for (const std::string& address : unknown) {
    leave_to_server(address, "no rdmasync has said that it has this link");
  }
}

}  // namespace rdmasync::master

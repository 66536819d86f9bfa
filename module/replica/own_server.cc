#include "module/replica/own_server.h"

#include <strings.h>

#include <utility>

#include "module/config.h"
#include "module/redis/context.h"
#include "module/redis/main_thread.h"
#include "module/redis/rdb.h"
#include "module/redis/server.h"
#include "rdmasync/error.h"
#include "rdmasync/number.h"

namespace rdmasync::replica {

using redis::config_get;
using redis::module_context;

namespace {

int number(const std::string& text) {
  return to_number<int>(text).value_or(0);
}

bool loading() {
  constexpr int kEither = redis::kCtxLoading | redis::kCtxAsyncLoading;
  return (redis::GetContextFlags(module_context()) & kEither) != 0;
}

bool is_replica_of(const redis::Info& replication, const std::string& host, int port) {
  return replication.text("role") == "slave" &&
         ::strcasecmp(replication.text("master_host").c_str(), host.c_str()) == 0 &&
         replication.number("master_port") == port;
}

bool link_is_up(const redis::Info& replication) {
  return replication.text("master_link_status") == "up";
}

}  // namespace

OwnFacts OwnServer::facts() const {
  RedisModuleCtx* ctx = module_context();
  std::string missing = redis::missing_on_replica(ctx);
  if (missing.empty() && redis::rdb_version(ctx) >= redis::rdb::kFieldTimesSince &&
      !redis::has(ctx, redis::kHpexpireat)) {
    missing = redis::kHpexpireat.name;
  }
  if (!missing.empty()) {
    throw Error(Errc::kUsage, "this server has no " + missing +
                                  ", which rdmasync calls here: leave out its rename-command");
  }
  if (config_get(ctx, "tls-replication") == "yes") {
    throw Error(Errc::kUsage,
                "rdmasync does not replicate over TLS yet: set tls-replication no on this server, "
                "or use REPLICAOF");
  }
  OwnFacts facts;
  facts.user = config_get(ctx, "masteruser");
  facts.password = config_get(ctx, "masterauth");
  facts.source = config_get(ctx, "bind-source-addr");
  facts.fabric = config().fabric;
  facts.run_id = redis::Info("server").text("run_id");
  facts.modules = redis::module_names(ctx);
  facts.announced_ip = config_get(ctx, "replica-announce-ip");
  facts.listening_port = number(config_get(ctx, "replica-announce-port"));
  if (facts.listening_port == 0) {
    facts.listening_port = number(config_get(ctx, "port"));
  }
  facts.server = redis::server_name_and_version();
  facts.rdb_version = redis::rdb_version(ctx);
  facts.databases = redis::databases();
  facts.in_cluster = redis::in_cluster();
  facts.value_buffers = {static_cast<std::size_t>(config().pinned_memory), config().huge_pages};
  facts.timeout = std::chrono::seconds(config().replica_timeout_s);
  return facts;
}

void OwnServer::replicaof(const std::string& host, const std::string& port) {
  changing_role_ = true;
  try {
    redis::call(module_context(), redis::kReplicaof, {host, port});
  } catch (...) {
    changing_role_ = false;
    throw;
  }
  changing_role_ = false;
}

bool OwnServer::follow(const std::string& host, int port) {
  const redis::Info replication("replication");
  if (is_replica_of(replication, host, port)) {
    return false;
  }
  if (loading()) {
    throw Error(Errc::kRefused, "this server still loads another dataset");
  }
  replicaof(host, std::to_string(port));
  return true;
}

bool OwnServer::follows(const std::string& host, int port) const {
  const redis::Info replication("replication");
  return is_replica_of(replication, host, port) && link_is_up(replication);
}

void OwnServer::loading_began() {
  emptying_.loading_began();
  filler_.forget();
}

void OwnServer::loading_ended() {
  // This event comes from inside the load.
  for (auto& task : std::exchange(after_load_, {})) {
    redis::post_to_main(std::move(task));
  }
}

bool OwnServer::lacks_master() const {
  const redis::Info replication("replication");
  return replication.text("role") == "slave" && !link_is_up(replication);
}

void OwnServer::check_loads_beside() const {
  if (const auto module = redis::module_that_needs_files(); !module.empty()) {
    throw Error(Errc::kRefused, "the module " + module +
                                    " of this server does not declare that it handles I/O errors "
                                    "and asynchronous loading: it can load only from a file, as "
                                    "REPLICAOF does");
  }
}

std::uint64_t OwnServer::keys() const {
  std::uint64_t sum = 0;
  for (const auto& [db, count] : redis::keys_by_database()) {
    sum += count;
  }
  return sum;
}

bool OwnServer::may_stream() const {
  RedisModuleCtx* ctx = module_context();
  return !redis::in_cluster() && redis::has(ctx, redis::kFlushDb) &&
         redis::has(ctx, redis::kSwapDb) && (!config().keep_old_data || keys() == 0);
}

std::uint64_t OwnServer::allow_stub(Stub how) {
  const auto number = ++stubs_allowed_;
  redis::HeldSettings::Values settings = {{Emptying::kSetting, Emptying::kBeside}};
  if (redis::in_cluster()) {
    // Between the load and the end of the insertion it must not become a master, and nothing of it
    // must stay on the disk. What writes there begins anew after a load, as here after this.
    settings["cluster-replica-no-failover"] = "yes";
    settings["save"] = "";
    settings["appendonly"] = "no";
  }
  stub_settings_.hold(module_context(), number, settings);
  if (how == Stub::kIntoEmpty) {
    emptying_.hold(number);
  } else {
    emptying_.release();
  }
  return number;
}

void OwnServer::disallow_stub(std::uint64_t number) {
  // A load looks at its settings again when it ends.
  if (loading()) {
    after_load_.emplace_back([this, number] { disallow_stub(number); });
    return;
  }
  stub_settings_.release(number);
  if (number == stubs_allowed_) {
    emptying_.release();
  }
}

std::optional<std::int64_t> OwnServer::offset() const {
  const redis::Info replication("replication");
  if (!link_is_up(replication)) {
    return std::nullopt;
  }
  return replication.number("slave_repl_offset");
}

bool OwnServer::has_history(const std::string& replication_id) const {
  return redis::Info("replication").text("master_replid") == replication_id;
}

bool OwnServer::continues_from(const std::string& replication_id) const {
  const redis::Info replication("replication");
  return link_is_up(replication) && replication.text("master_replid2") == replication_id;
}

void OwnServer::promote() {
  if (redis::Info("replication").text("role") == "slave") {
    replicaof("NO", "ONE");
  }
}

}  // namespace rdmasync::replica

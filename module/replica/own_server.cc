#include "module/replica/own_server.h"

#include "module/config.h"
#include "module/number.h"
#include "module/redis/client_list.h"
#include "module/redis/context.h"
#include "module/redis/main_thread.h"
#include "module/redis/server.h"
#include "rdmasync/error.h"

namespace rdmasync::replica {

using redis::config_get;
using redis::config_set;
using redis::module_context;

namespace {

constexpr const char* kDisklessLoad = "repl-diskless-load";
constexpr redis::HeldSettings::Client kStub = 1;  // no client: the settings have one holder

int number(const std::string& text) {
  return to_number<int>(text).value_or(0);
}

bool loading() {
  constexpr int kEither = redis::kCtxLoading | redis::kCtxAsyncLoading;
  return (redis::GetContextFlags(module_context()) & kEither) != 0;
}

bool is_empty() {
  const redis::Context own = redis::make_context();
  for (int db = 0; redis::SelectDb(own.get(), db) == redis::kOk; ++db) {
    const auto size = redis::call(own.get(), redis::kDbSize, {});
    if (redis::CallReplyInteger(size.get()) > 0) {
      return false;
    }
  }
  return true;
}

}  // namespace

OwnFacts OwnServer::facts() const {
  RedisModuleCtx* ctx = module_context();
  if (const auto missing = redis::missing_on_replica(ctx); !missing.empty()) {
    throw Error(Errc::kUsage, "this server has no " + missing +
                                  ", which rdmasync calls here: leave out its rename-command");
  }
  if ((redis::GetContextFlags(ctx) & redis::kCtxCluster) != 0) {
    throw Error(Errc::kUsage,
                "this server runs in cluster mode, where replicas are made by CLUSTER REPLICATE");
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
  facts.dump_path = config_get(ctx, "dir") + "/" + config_get(ctx, "dbfilename");
  facts.run_id = redis::Info("server").text("run_id");
  facts.modules = redis::module_names(ctx);
  facts.announced_ip = config_get(ctx, "replica-announce-ip");
  facts.listening_port = number(config_get(ctx, "replica-announce-port"));
  if (facts.listening_port == 0) {
    facts.listening_port = number(config_get(ctx, "port"));
  }
  facts.server = redis::server_name_and_version();
  facts.rdb_version = redis::rdb_version(ctx);
  facts.databases = static_cast<std::uint32_t>(number(config_get(ctx, "databases")));
  facts.relay_buffer = static_cast<std::size_t>(config().relay_buffer);
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

void OwnServer::follow_own_master(int port) {
  if (loading()) {
    throw Error(Errc::kRefused, "this server still loads another dataset");
  }
  settle(own_port_, false);  // an earlier sync's
  const redis::Info replication("replication");
  old_master_.reset();
  if (replication.text("role") == "slave") {
    old_master_.emplace(replication.text("master_host"), replication.text("master_port"));
  }
  no_way_back_ = false;
  // Otherwise the server would keep the stub as its dump.rdb.
  saved_diskless_load_ = config_get(module_context(), kDisklessLoad);
  config_set(module_context(), kDisklessLoad, is_empty() ? "on-empty-db" : "swapdb");
  own_port_ = port;
  replicaof("127.0.0.1", std::to_string(port));
}

void OwnServer::follow(const std::string& host, int port) {
  replicaof(host, std::to_string(port));
}

void OwnServer::settle(int port, bool keep_following) {
  if (port != own_port_ || own_port_ == 0) {
    return;
  }
  // A load looks at its settings again when it ends, and REPLICAOF inside one breaks it.
  if (loading()) {
    after_load_ = [this, port, keep_following] { settle(port, keep_following); };
    return;
  }
  own_port_ = 0;
  config_set(module_context(), kDisklessLoad, saved_diskless_load_);
  if (keep_following || no_way_back_) {
    return;
  }
  if (old_master_) {
    replicaof(old_master_->first, old_master_->second);
  } else {
    replicaof("NO", "ONE");
  }
}

void OwnServer::loading_ended() {
  // This event comes from inside the load.
  if (after_load_) {
    redis::post_to_main(std::exchange(after_load_, nullptr));
  }
}

void OwnServer::check_loads_beside() const {
  if (const auto module = redis::module_that_needs_files(); !module.empty()) {
    throw Error(Errc::kRefused, "the module " + module +
                                    " of this server does not declare that it handles I/O errors "
                                    "and asynchronous loading");
  }
}

void OwnServer::allow_stub() {
  stub_settings_.hold(module_context(), kStub, {{kDisklessLoad, "swapdb"}});
}

void OwnServer::disallow_stub() {
  // A load looks at its settings again when it ends.
  if (loading()) {
    after_load_ = [this] { disallow_stub(); };
    return;
  }
  stub_settings_.release(kStub);
}

void OwnServer::renew_link() {
  redis::call(module_context(), redis::kClient, {"KILL", "TYPE", "master"});
}

bool OwnServer::follows(const std::string& replication_id) const {
  const redis::Info replication("replication");
  return replication.text("master_link_status") == "up" &&
         replication.text("master_replid") == replication_id;
}

std::int64_t OwnServer::applied_offset() const {
  return redis::Info("replication").number("slave_repl_offset");
}

bool OwnServer::may_leave_own_master() const {
  const redis::ClientList masters(module_context(), {"TYPE", "master"});
  return masters.clients().empty() || !masters.clients().front().has_flag('b');
}

void OwnServer::promote() {
  no_way_back();
  if (redis::Info("replication").text("role") == "slave") {
    replicaof("NO", "ONE");
  }
}

}  // namespace rdmasync::replica

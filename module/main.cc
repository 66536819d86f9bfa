#include <string>

#include "module/commands.h"
#include "module/config.h"
#include "module/fields.h"
#include "module/redis/context.h"
#include "module/redis/guard.h"
#include "module/replica/linker.h"

/// What the server sees of the module: OnLoad, and the events that it wires to the two halves.
namespace rdmasync {

namespace {

constexpr int kVersion = 100;  // 0.1.0

void on_info(RedisModuleInfoCtx* ctx, int) {
  redis::event_guard("INFO", [ctx] {
    const bool is_replica =
        (redis::GetContextFlags(redis::module_context()) & redis::kCtxSlave) != 0;
    add_to_info(ctx, status_fields(halves().exports, halves().replica, is_replica));
  });
}

void on_event_loop(RedisModuleCtx*, RedisModuleEvent, std::uint64_t subevent, void*) {
  if (subevent != redis::kBeforeSleep) return;
  redis::event_guard("export", [] { halves().exports.before_sleep(); });
}

/// rdmasync.slaveof, from redis.conf or CONFIG SET: seen here, where the server is up and loaded.
void follow_slaveof_directive() {
  static std::string followed;
  if (config().slaveof == followed) return;
  followed = config().slaveof;
  if (followed.empty()) return;
  const auto space = followed.find(' ');
  halves().replica.start(followed.substr(0, space), followed.substr(space + 1));
}

void on_cron(RedisModuleCtx*, RedisModuleEvent, std::uint64_t, void*) {
  redis::event_guard("cron", [] {
    halves().exports.cron();
    halves().replica.cron();
    follow_slaveof_directive();
  });
}

void on_client_change(RedisModuleCtx*, RedisModuleEvent, std::uint64_t subevent, void* data) {
  if (subevent != redis::kClientDisconnected) return;
  redis::event_guard("client event", [data] {
    halves().exports.client_gone(static_cast<const RedisModuleClientInfo*>(data)->id);
  });
}

void on_role_change(RedisModuleCtx*, RedisModuleEvent, std::uint64_t, void*) {
  redis::event_guard("role event", [] { halves().replica.role_changed(); });
}

void on_master_link(RedisModuleCtx*, RedisModuleEvent, std::uint64_t subevent, void*) {
  if (subevent != redis::kMasterLinkUp) return;
  redis::event_guard("master link event", [] { halves().replica.master_link_up(); });
}

void on_loading(RedisModuleCtx*, RedisModuleEvent, std::uint64_t subevent, void*) {
  redis::event_guard("loading event", [subevent] {
    replica::Replica& replica = halves().replica;
    if (subevent == redis::kLoadingReplicationStart) replica.loading_began();
    if (subevent == redis::kLoadingEnded) replica.loading_ended(true);
    if (subevent == redis::kLoadingFailed) replica.loading_ended(false);
  });
}

void on_load_beside(RedisModuleCtx*, RedisModuleEvent, std::uint64_t subevent, void*) {
  redis::event_guard("async load event", [subevent] {
    if (subevent == redis::kAsyncLoadStarted) {
      replica::load_beside_began();
    } else {
      replica::load_beside_ended(subevent == redis::kAsyncLoadCompleted);
    }
  });
}

void on_shutdown(RedisModuleCtx*, RedisModuleEvent, std::uint64_t, void*) {
  redis::event_guard("shutdown event", [] { halves().replica.shutdown(); });
}

/// Last in OnLoad: Redis 7.0 does not take subscriptions back when OnLoad fails.
void subscribe(RedisModuleCtx* ctx) {
  redis::SubscribeToServerEvent(ctx, redis::kEventEventLoop, on_event_loop);
  redis::SubscribeToServerEvent(ctx, redis::kEventCron, on_cron);
  redis::SubscribeToServerEvent(ctx, redis::kEventClientChange, on_client_change);
  redis::SubscribeToServerEvent(ctx, redis::kEventRoleChanged, on_role_change);
  redis::SubscribeToServerEvent(ctx, redis::kEventMasterLink, on_master_link);
  redis::SubscribeToServerEvent(ctx, redis::kEventLoading, on_loading);
  redis::SubscribeToServerEvent(ctx, redis::kEventReplAsyncLoad, on_load_beside);
  redis::SubscribeToServerEvent(ctx, redis::kEventShutdown, on_shutdown);
}

int on_load(RedisModuleCtx* ctx, RedisModuleString** argv, int argc) {
  if (!redis::load_api(ctx)) return redis::kErr;
  redis::SetModuleAttribs(ctx, "rdmasync", kVersion, redis::kApiVersion);
  try {
    redis::set_module_context(ctx);
    // A stub RDB is loaded without a file, beside the old dataset, only if every module says this.
    redis::SetModuleOptions(ctx, redis::kOptionHandleIoErrors | redis::kOptionHandleAsyncLoad);
    replica::register_linker(ctx);
    if (!register_commands(ctx) || !register_configs(ctx, argv, argc)) return redis::kErr;
    replica::remember_linked_addresses(config().debug);
    redis::RegisterInfoFunc(ctx, on_info);
    halves();
    subscribe(ctx);
  } catch (const std::exception& error) {
    redis::log_warning(std::string("rdmasync cannot be loaded: ") + error.what());
    return redis::kErr;
  }
  return redis::kOk;
}

}  // namespace

}  // namespace rdmasync

// The server looks it up by this name.
extern "C" __attribute__((visibility("default"))) int
RedisModule_OnLoad(  // NOLINT(readability-identifier-naming)
    RedisModuleCtx* ctx, RedisModuleString** argv, int argc) {
  return rdmasync::on_load(ctx, argv, argc);
}

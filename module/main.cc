#include <string>

#include "module/commands.h"
#include "module/config.h"
#include "module/events.h"
#include "module/fields.h"
#include "module/filter.h"
#include "module/redis/context.h"
#include "module/redis/guard.h"
#include "module/redis/server.h"
#include "module/replica/inserter.h"
#include "module/replica/stub_load.h"

/// What the server sees of the module first: OnLoad.
namespace rdmasync {

namespace {

constexpr int kVersion = 100;  // 0.1.0

void on_info(RedisModuleInfoCtx* ctx, int for_crash_report) {
  // Of a crash anything may be the cause, and any thread may have the locks.
  if (for_crash_report != 0) {
    return;
  }
  redis::event_guard("INFO", [ctx] {
    const bool is_replica =
        (redis::GetContextFlags(redis::module_context()) & redis::kCtxSlave) != 0;
    add_to_info(ctx, status_fields(halves().exports, halves().replica, is_replica));
  });
}

int on_load(RedisModuleCtx* ctx, RedisModuleString** argv, int argc) {
  if (!redis::load_api(ctx)) {
    return redis::kErr;
  }
  redis::SetModuleAttribs(ctx, "rdmasync", kVersion, redis::kApiVersion);
  try {
    redis::set_module_context(ctx);
    // A stub RDB is loaded without a file, beside the old dataset, only if every module says this.
    int options = redis::kOptionHandleIoErrors | redis::kOptionHandleAsyncLoad;
    if (redis::has_migrateslots()) {
      options |= redis::kOptionHandleAtomicSlotMigration;
    }
    redis::SetModuleOptions(ctx, options);
    replica::register_stub_type(ctx);
    if (!register_commands(ctx) || !register_configs(ctx, argv, argc)) {
      return redis::kErr;
    }
    replica::remember_linked_addresses(config().debug);
    redis::RegisterInfoFunc(ctx, on_info);
    halves();
    subscribe_to_events(ctx);
    register_filter();
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

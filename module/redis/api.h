#pragma once

#include "rdmasync/redis_module.h"

/// The server's functions, by their names without `RedisModule_`. Null until load_api().
namespace rdmasync::redis {

#define RDMASYNC_DECLARE(name, ret, ...) extern ret (*name)(__VA_ARGS__);
RDMASYNC_MODULE_API(RDMASYNC_DECLARE)
RDMASYNC_OPTIONAL_MODULE_API(RDMASYNC_DECLARE)
#undef RDMASYNC_DECLARE

/// Looks every function up. Names in the log each one that the server lacks, and returns false.
/// Main thread, first thing in OnLoad.
bool load_api(RedisModuleCtx* ctx);

}  // namespace rdmasync::redis

#include "module/redis/api.h"

#include <cstring>

namespace rdmasync::redis {

#define RDMASYNC_DEFINE(name, ret, ...) ret (*name)(__VA_ARGS__) = nullptr;
RDMASYNC_MODULE_API(RDMASYNC_DEFINE)
RDMASYNC_OPTIONAL_MODULE_API(RDMASYNC_DEFINE)
#undef RDMASYNC_DEFINE

namespace {

using GetApi = int (*)(const char*, void*);

// The server hands the look-up function over as the first word of the context.
GetApi get_api_of(RedisModuleCtx* ctx) {
  GetApi get_api = nullptr;
  std::memcpy(&get_api, ctx, sizeof(get_api));
  return get_api;
}

}  // namespace

bool load_api(RedisModuleCtx* ctx) {
  const GetApi get_api = get_api_of(ctx);
  get_api("RedisModule_Log", static_cast<void*>(&Log));

  bool complete = true;
  const auto look_up = [&](const char* name, void* function) {
    if (get_api(name, function) == kOk) {
      return;
    }
    complete = false;
    if (Log != nullptr) {
      Log(ctx, "warning",
          "rdmasync needs the module function %s, which this server lacks: use Redis 7.0 or later, "
          "or Valkey",
          name);
    }
  };
#define RDMASYNC_LOOK_UP(name, ret, ...) look_up("RedisModule_" #name, static_cast<void*>(&(name)));
  RDMASYNC_MODULE_API(RDMASYNC_LOOK_UP)
#undef RDMASYNC_LOOK_UP
#define RDMASYNC_LOOK_UP(name, ret, ...) get_api("RedisModule_" #name, static_cast<void*>(&(name)));
  RDMASYNC_OPTIONAL_MODULE_API(RDMASYNC_LOOK_UP)
#undef RDMASYNC_LOOK_UP
  return complete;
}

}  // namespace rdmasync::redis

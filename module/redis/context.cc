#include "module/redis/context.h"

namespace rdmasync::redis {

namespace {
// Never freed: the server outlives every user of it, and the module is never unloaded.
RedisModuleCtx* g_module_context = nullptr;
}  // namespace

RedisModuleCtx* module_context() {
  return g_module_context;
}

void set_module_context(RedisModuleCtx* ctx) {
  g_module_context = GetDetachedThreadSafeContext(ctx);
}

}  // namespace rdmasync::redis

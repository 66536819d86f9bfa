#include "module/redis/context.h"

#include "module/redis/main_thread.h"

namespace rdmasync::redis {

namespace {
// Never freed: the server outlives every user of it, and the module is never unloaded.
RedisModuleCtx* g_module_context = nullptr;
}  // namespace

RedisModuleCtx* module_context() {
  check_main_thread();
  return g_module_context;
}

void set_module_context(RedisModuleCtx* ctx) {
  remember_main_thread();
  g_module_context = GetDetachedThreadSafeContext(ctx);
}

}  // namespace rdmasync::redis

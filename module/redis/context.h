#pragma once

#include "module/redis/owned.h"

namespace rdmasync::redis {

/// The module's own context, for subscriptions and for make_context(). Main thread only.
RedisModuleCtx* module_context();

/// In OnLoad, before anything else asks for it; its thread is the main thread from then on.
void set_module_context(RedisModuleCtx* ctx);

/// A context with a database selection of its own. Main thread only.
inline Context make_context() {
  return Context{GetDetachedThreadSafeContext(module_context())};
}

}  // namespace rdmasync::redis

#pragma once

#include "module/redis/api.h"

namespace rdmasync {

/// Subscribes to every server event that the module hears, but those of keys. Last in OnLoad: Redis
/// 7.0 does not take subscriptions back when OnLoad fails.
void subscribe_to_events(RedisModuleCtx* ctx);

/// Those of keys, for servers where notifications do not tell of expiry (master/write_watch.h).
void subscribe_to_key_events(RedisModuleCtx* ctx);

}  // namespace rdmasync

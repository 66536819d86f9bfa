#pragma once

#include "module/redis/api.h"

namespace rdmasync {

/// Subscribes to every server event that the module hears, but keyspace notifications and what
/// stands in for them (master/write_watch.h). Last in OnLoad: Redis 7.0 does not take subscriptions
/// back when OnLoad fails.
void subscribe_to_events(RedisModuleCtx* ctx);

}  // namespace rdmasync

#pragma once

#include "module/log/entry.h"
#include "module/redis/api.h"

/// Expiry and recency, from a key and to a key. Main thread.
namespace rdmasync::redis {

/// What the server counts of a key's uses; -1 for what its eviction policy does not.
struct Uses {
  long long idle_ms = -1;
  long long frequency = -1;
};

Uses uses_of(RedisModuleKey* key);
void set_uses(RedisModuleKey* key, const Uses& uses);

/// Whether other modules have attached something to it, which servers since Redis 8.6 let them do:
/// DUMP has that, and nothing else that reads a value.
bool has_attachments(RedisModuleKey* key);

/// Unix time in ms, or log_format::kNoExpiry.
std::int64_t expiry_of(RedisModuleKey* key);

/// The recency of the kind that counts under this server's eviction policy.
log::KeyMeta meta_of(RedisModuleKey* key, const Uses& uses, log_format::Recency kind);
void set_expiry(RedisModuleKey* key, std::int64_t unix_ms);

/// Of a key that was just made.
void set_meta(RedisModuleKey* key, const log::KeyMeta& meta);

}  // namespace rdmasync::redis

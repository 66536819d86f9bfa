#include "module/redis/key_meta.h"

namespace rdmasync::redis {

using log_format::Recency;

Uses uses_of(RedisModuleKey* key) {
  Uses uses;
  GetLRU(key, &uses.idle_ms);
  GetLFU(key, &uses.frequency);
  return uses;
}

void set_uses(RedisModuleKey* key, const Uses& uses) {
  if (uses.idle_ms >= 0) {
    SetLRU(key, uses.idle_ms);
  }
  if (uses.frequency >= 0) {
    SetLFU(key, uses.frequency);
  }
}

bool has_attachments(RedisModuleKey* key) {
  constexpr int kFirst = 1;  // 0 is the server's own
  constexpr int kLast = 7;
  if (GetKeyMeta == nullptr) {
    return false;
  }
  std::uint64_t attached = 0;
  for (int id = kFirst; id <= kLast; ++id) {
    if (GetKeyMeta(id, key, &attached) == kOk) {
      return true;
    }
  }
  return false;
}

std::int64_t expiry_of(RedisModuleKey* key) {
  return GetAbsExpire(key);
}

void set_expiry(RedisModuleKey* key, std::int64_t unix_ms) {
  SetAbsExpire(key, unix_ms);
}

log::KeyMeta meta_of(RedisModuleKey* key, const Uses& uses, Recency kind) {
  log::KeyMeta meta;
  meta.expire_at_ms = expiry_of(key);
  const long long counted = kind == Recency::kFrequency ? uses.frequency : uses.idle_ms;
  if (kind != Recency::kNone && counted >= 0) {
    meta.recency_kind = kind;
    meta.recency = static_cast<std::uint64_t>(kind == Recency::kIdle ? counted / 1000 : counted);
  }
  return meta;
}

void set_meta(RedisModuleKey* key, const log::KeyMeta& meta) {
  if (meta.expire_at_ms != log_format::kNoExpiry) {
    SetAbsExpire(key, meta.expire_at_ms);
  }
  const auto recency = static_cast<long long>(meta.recency);
  if (meta.recency_kind == Recency::kIdle) {
    SetLRU(key, recency * 1000);
  } else if (meta.recency_kind == Recency::kFrequency) {
    SetLFU(key, recency);
  }
}

}  // namespace rdmasync::redis

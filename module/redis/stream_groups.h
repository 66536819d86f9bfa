#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "module/redis/api.h"
#include "module/redis/stream_id.h"

namespace rdmasync::redis {

/// What there is of a stream besides its entries.
struct StreamGroups {
  StreamId last = {};       ///< its last id
  std::uint64_t added = 0;  ///< entries, ever
  StreamId max_deleted = {};
  /// For RESTORE: a stream without entries, with its groups, their consumers, and what is pending.
  std::string payload = {};
};

/// Whether this server has such streams as this build knows.
bool knows_streams(RedisModuleCtx* ctx);

/// Of a stream of the selected database. Main thread. They throw Error(kRefused) if there is none.
/// How much is pending, in all groups together.
std::size_t pending_entries(RedisModuleCtx* ctx, std::string_view key);
/// `pending`: that.
StreamGroups stream_groups(RedisModuleCtx* ctx, std::string_view key, std::size_t pending);

}  // namespace rdmasync::redis

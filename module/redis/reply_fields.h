#pragma once

#include "module/protocol/replies.h"
#include "module/redis/owned.h"

namespace rdmasync::redis {

/// Replies with a flat list of names and texts: so a master answers a replica.
inline void reply_fields(RedisModuleCtx* ctx, const protocol::Fields& fields) {
  ReplyWithArray(ctx, static_cast<long>(2 * fields.size()));
  for (const auto& [name, value] : fields) {
    reply_text(ctx, name);
    reply_text(ctx, value);
  }
}

}  // namespace rdmasync::redis

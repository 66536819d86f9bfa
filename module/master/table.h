#pragma once

#include "module/log/ring.h"
#include "module/redis/api.h"

namespace rdmasync::master {

/// Replies with up to `limit` rows [key, db, kind, address, length, rkey], oldest first: what the
/// log holds and no replica has finished with. Returns their number.
long long reply_with_rows(RedisModuleCtx* ctx, const log::Ring& ring, long long limit);

}  // namespace rdmasync::master

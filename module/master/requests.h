#pragma once

#include <span>
#include <string_view>

#include "module/redis/api.h"

namespace rdmasync::master {

class Exports;

/// Runs and answers `RDMASYNC.EXPORT words...`, which a replica says, or a command filter of this
/// server (module/protocol/requests.h). Main thread.
void run_request(RedisModuleCtx* ctx, Exports& exports, std::span<const std::string_view> words);

/// Throws Error(kUsage) within a transaction or a script.
void refuse_where_no_cut_can_be(RedisModuleCtx* ctx);

}  // namespace rdmasync::master

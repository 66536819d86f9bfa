#include "module/replica/filler_backlog.h"

#include "module/fault.h"
#include "module/redis/owned.h"
#include "module/redis/server.h"
#include "rdmasync/number.h"

namespace rdmasync::replica {

void FillerBacklog::filter_psync(RedisModuleCommandFilterCtx* command) {
  constexpr int kOffset = 2;
  if (!end_ || planted(Fault::kFillerShown) || redis::CommandFilterArgsCount(command) <= kOffset) {
    return;
  }
  if (redis::Info("replication").number("repl_backlog_first_byte_offset") > *end_) {
    end_.reset();
    return;
  }
  const auto offset =
      to_number<std::int64_t>(redis::view(redis::CommandFilterArgGet(command, kOffset)));
  if (offset && *offset >= 0 && *offset <= *end_) {
    redis::CommandFilterArgReplace(command, 1, redis::make_string("?").release());
    redis::CommandFilterArgReplace(command, kOffset, redis::make_string("-1").release());
  }
}

}  // namespace rdmasync::replica

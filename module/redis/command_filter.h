#pragma once

#include <optional>
#include <string_view>

#include "module/redis/api.h"

/// What a command filter can ask of the command that it sees. Main thread.
namespace rdmasync::redis {

/// The client whose command it is. Nothing if it cannot be told: servers before Redis 7.2 do not
/// say, and there it is the one client that has arguments and has run `before`, as long as there is
/// only one.
std::optional<unsigned long long> client_of(RedisModuleCommandFilterCtx* command,
                                            std::string_view before);

/// It becomes `RDMASYNC.EXPORT request`, followed by its arguments.
void become(RedisModuleCommandFilterCtx* filtered, const char* request);

}  // namespace rdmasync::redis

#include "module/redis/command_filter.h"

#include "module/redis/client_list.h"
#include "module/redis/context.h"
#include "rdmasync/protocol.h"

namespace rdmasync::redis {

std::optional<unsigned long long> client_of(RedisModuleCommandFilterCtx* command,
                                            std::string_view before) {
  if (CommandFilterGetClientId != nullptr) {
    return CommandFilterGetClientId(command);
  }
  const ClientList list(module_context(), {});
  std::optional<unsigned long long> found;
  for (const ClientLine& client : list.clients()) {
    // One that is blocked keeps its arguments, and runs nothing.
    const bool runs = client.number("argv-mem") != 0 && !client.has_flag('b');
    if (!runs || !client.field("cmd").starts_with(before)) {
      continue;
    }
    if (found) {
      return std::nullopt;
    }
    found = static_cast<unsigned long long>(client.number("id"));
  }
  return found;
}

void become(RedisModuleCommandFilterCtx* filtered, const char* request) {
  CommandFilterArgReplace(filtered, 0, make_string(request).release());
  CommandFilterArgInsert(filtered, 0, make_string(protocol::kExportCommand).release());
}

}  // namespace rdmasync::redis

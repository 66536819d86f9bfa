#include "module/redis/commands_called.h"

#include <cerrno>
#include <memory>

#include "module/redis/owned.h"

namespace rdmasync::redis {

namespace {

/// Asks for the keys of a call without arguments: nothing is run, and errno tells an unknown name
/// from a wrong number of arguments.
bool has_command(RedisModuleCtx* ctx, const char* name) {
  const String owned = make_string(name);
  RedisModuleString* argv = owned.get();
  int count = 0;
  errno = 0;
  const std::unique_ptr<int, void (*)(void*)> keys{GetCommandKeys(ctx, &argv, 1, &count),
                                                   [](void* memory) { Free(memory); }};
  return keys != nullptr || errno != ENOENT;
}

std::string missing(RedisModuleCtx* ctx, bool CalledCommand::*side) {
  std::string names;
  for (const CalledCommand& command : kCalledCommands) {
    if (!(command.*side) || has_command(ctx, command.name)) {
      continue;
    }
    names.append(names.empty() ? "" : ", ").append(command.name);
  }
  return names;
}

}  // namespace

std::string missing_on_master(RedisModuleCtx* ctx) {
  return missing(ctx, &CalledCommand::by_master);
}

std::string missing_on_replica(RedisModuleCtx* ctx) {
  return missing(ctx, &CalledCommand::by_replica);
}

bool has(RedisModuleCtx* ctx, const CalledCommand& command) {
  return has_command(ctx, command.name);
}

}  // namespace rdmasync::redis

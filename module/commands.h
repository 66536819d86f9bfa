#pragma once

#include "module/master/exports.h"
#include "module/replica/replica.h"

namespace rdmasync {

/// The module's two halves. Made in OnLoad and never destroyed: the server exits under them.
struct Halves {
  master::Exports exports;
  replica::Replica replica;
};

/// Main thread only.
Halves& halves();

/// Registers every command with its documentation; false if one cannot be. In OnLoad.
bool register_commands(RedisModuleCtx* ctx);

}  // namespace rdmasync

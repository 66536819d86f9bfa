#pragma once

#include <cstdint>
#include <string>

#include "bench/measure/statistics.h"

namespace rdmasync::bench {

/// What the module costs a server that makes no sync, in nanoseconds of the server's main thread
/// for each command.
struct IdleCost {
  Spread without;     ///< a command by itself, on a server without the module
  Spread with;        ///< on one that has it
  Spread difference;  ///< of rounds, each of both in turn
};

/// Sends short commands in large batches, so that the command is most of what there is. Servers of
/// its own; `module` and `program` empty: those of this build.
IdleCost measure_idle(const std::string& module, const std::string& program, std::uint64_t commands,
                      std::uint64_t rounds);

}  // namespace rdmasync::bench

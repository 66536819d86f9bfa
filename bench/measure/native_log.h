#pragma once

#include <chrono>
#include <filesystem>
#include <vector>

#include "bench/measure/outcome.h"

namespace rdmasync::bench {

using WallTime = std::chrono::system_clock::time_point;

/// The parts of Redis's own full sync, from both servers' logs. A replica that loads while it
/// receives has nearly all under "load".
std::vector<Part> native_parts(const std::filesystem::path& master_log,
                               const std::filesystem::path& replica_log, WallTime start,
                               WallTime end);

}  // namespace rdmasync::bench

#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace rdmasync::bench {

/// A stretch of a sync.
struct Part {
  std::string name;
  double ms;
};

using WallTime = std::chrono::system_clock::time_point;

/// The parts of Redis's own full sync, from the replica's log.
std::vector<Part> native_parts(const std::filesystem::path& replica_log, WallTime start,
                               WallTime end);

}  // namespace rdmasync::bench

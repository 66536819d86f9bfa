#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>

#include "bench/options.h"

namespace rdmasync::bench {

/// Throws std::runtime_error, with what to do instead, if memory or disk do not suffice.
void check_machine(const Options& options, const std::filesystem::path& scratch);

/// Takes as much memory as a replica of the dataset and its transfer need, touches it and gives it
/// back. To be called just before a measurement; takes some tenths of a second a GiB.
void warm_memory(const Options& options);

/// How much a process's resident memory grows beyond what it is at construction.
class MemoryWatch {
 public:
  explicit MemoryWatch(pid_t pid);

  /// Call it often: where the kernel's own high-water mark cannot be reset, this is what counts.
  void sample();
  std::uint64_t growth();

 private:
  pid_t pid_;
  bool kernel_keeps_peak_;
  std::uint64_t before_;
  std::uint64_t peak_;
};

}  // namespace rdmasync::bench

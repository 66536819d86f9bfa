#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>

namespace rdmasync::bench {

/// A line such as "VmRSS:   1234 kB" of a file, in bytes; 0 if there is none.
std::uint64_t kilobytes_field(const std::filesystem::path& path, const std::string& name);

/// Free for this process, by the machine and its control groups.
std::uint64_t available_memory();

/// Touches that many bytes of free memory and gives them back. To be called just before a
/// measurement; takes some tenths of a second a GiB.
void warm_memory(std::uint64_t bytes);

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

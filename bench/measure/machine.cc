#include "bench/measure/machine.h"

#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <fstream>
#include <limits>
#include <stdexcept>

#include "bench/measure/memory.h"
#include "bench/support.h"
#include "bench/text.h"

namespace rdmasync::bench {
namespace {

constexpr std::uint64_t kBuffers = std::uint64_t{768} << 20U;

struct Space {
  std::uint64_t free = 0;
  bool in_memory = false;
};

Space disk_space(const std::filesystem::path& path) {
  struct statfs stats {};
  if (statfs(path.c_str(), &stats) != 0) {
    return {std::numeric_limits<std::uint64_t>::max(), false};
  }
  return {stats.f_bavail * static_cast<std::uint64_t>(stats.f_bsize), stats.f_type == TMPFS_MAGIC};
}

std::string cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) {
      return line.substr(colon + 2);
    }
  }
  return "unknown";
}

/// From "Redis server v=7.0.15 sha=...".
std::string version_of(const std::string& redis_server) {
  const std::string text = output_of({redis_server, "--version"});
  const std::size_t begin = text.find("v=");
  return begin == std::string::npos ? text
                                    : text.substr(begin + 2, text.find(' ', begin) - begin - 2);
}

}  // namespace

std::string name_and_version(const std::string& server) {
  const std::string text = output_of({server, "--version"});
  return text.substr(0, text.find(' ')) + " " + version_of(server);
}

Machine describe_machine(const std::string& redis_server) {
  utsname system{};
  uname(&system);
  return {cpu_model(), static_cast<std::uint64_t>(sysconf(_SC_NPROCESSORS_ONLN)),
          kilobytes_field("/proc/meminfo", "MemTotal"),
          std::string(static_cast<const char*>(system.release)), version_of(redis_server)};
}

std::uint64_t transfer_memory(std::uint64_t dataset, std::uint64_t replicas) {
  constexpr std::uint64_t kRings = std::uint64_t{128} << 20U;
  return dataset * (replicas + 1) + dataset / 4 + kRings;
}

void check_machine(std::uint64_t dataset, std::uint64_t replicas, bool file,
                   const std::filesystem::path& scratch,
                   const std::function<std::string(double)>& advice) {
  const Space disk = disk_space(scratch);
  // The servers, what a fork copies meanwhile, and replication buffers.
  const std::uint64_t memory = dataset * (replicas + 1) + dataset / 4 + kBuffers +
                               (file && disk.in_memory ? dataset * replicas : 0);
  const std::uint64_t available = available_memory();
  if (available < memory) {
    const bool hopeless = available < kBuffers * 3 / 2;
    const double share = hopeless ? 0
                                  : static_cast<double>(available - kBuffers) /
                                        static_cast<double>(memory - kBuffers) * 0.9;
    throw std::runtime_error(fmt::format(
        "this needs {} of free memory, and there are {}.\n{}", bytes_text(memory),
        bytes_text(available),
        hopeless ? "Free some, or use a larger machine (--skip-checks tries all the same)."
                 : advice(share)));
  }
  if (file && disk.free < dataset * replicas) {
    throw std::runtime_error(fmt::format(
        "Redis's own full sync needs {} in {}, and there are {}.\nSet TMPDIR to another "
        "directory, or leave it out.",
        bytes_text(dataset * replicas), scratch.parent_path().string(), bytes_text(disk.free)));
  }
}

}  // namespace rdmasync::bench

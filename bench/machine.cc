#include "bench/machine.h"

#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <limits>
#include <stdexcept>
#include <string>
#include <system_error>

#include "bench/dataset.h"
#include "bench/report.h"

namespace rdmasync::bench {
namespace {

constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();

/// A line such as "VmRSS:   1234 kB", in bytes.
std::uint64_t kilobytes_field(const std::filesystem::path& path, const std::string& name) {
  std::ifstream file(path);
  for (std::string word; file >> word;) {
    std::uint64_t kilobytes = 0;
    if (word == name + ":" && file >> kilobytes) {
      return kilobytes << 10U;
    }
  }
  return 0;
}

std::uint64_t read_number(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::uint64_t number = 0;
  return file >> number ? number : kUnlimited;
}

/// What the control groups (version 2) around this process leave it.
std::uint64_t group_allowance() {
  std::ifstream file("/proc/self/cgroup");
  std::string line;
  std::uint64_t allowance = kUnlimited;
  const std::string root = "/sys/fs/cgroup";
  while (std::getline(file, line)) {
    if (!line.starts_with("0::")) {
      continue;
    }
    std::filesystem::path group = root + line.substr(3);
    for (; group.string().size() >= root.size(); group = group.parent_path()) {
      const std::uint64_t most = read_number(group / "memory.max");
      const std::uint64_t used = read_number(group / "memory.current");
      if (most != kUnlimited && used != kUnlimited) {
        allowance = std::min(allowance, most - std::min(most, used));
      }
    }
  }
  return allowance;
}

struct Space {
  std::uint64_t free = 0;
  bool in_memory = false;
};

Space disk_space(const std::filesystem::path& path) {
  struct statfs stats {};
  if (statfs(path.c_str(), &stats) != 0) {
    return {kUnlimited, false};
  }
  return {stats.f_bavail * static_cast<std::uint64_t>(stats.f_bsize), stats.f_type == TMPFS_MAGIC};
}

constexpr std::uint64_t kBuffers = std::uint64_t{768} << 20U;

/// Free for this process.
std::uint64_t available_memory() {
  return std::min(kilobytes_field("/proc/meminfo", "MemAvailable"), group_allowance());
}

/// What a sync adds: the replica, what a fork copies meanwhile, rings and replication buffers.
std::uint64_t sync_memory(std::uint64_t dataset) {
  return dataset + dataset / 4 + kBuffers;
}

/// The file of a disk-based full sync.
std::uint64_t file_bytes(const Options& options) {
  return options.native ? estimated_bytes(options) : 0;
}

}  // namespace

void check_machine(const Options& options, const std::filesystem::path& scratch) {
  const std::uint64_t dataset = estimated_bytes(options);
  const std::uint64_t file = file_bytes(options);
  const Space disk = disk_space(scratch);
  const std::uint64_t memory =
      dataset + sync_memory(dataset) + (disk.in_memory ? file : std::uint64_t{0});
  const std::uint64_t available = available_memory();
  if (available < memory) {
    const bool hopeless = available < kBuffers * 3 / 2;
    const double share = hopeless ? 0
                                  : static_cast<double>(available - kBuffers) /
                                        static_cast<double>(memory - kBuffers) * 0.9;
    throw std::runtime_error(fmt::format(
        "this needs {} of free memory, and there are {}.\n{}", bytes_text(memory),
        bytes_text(available),
        hopeless
            ? "Free some, or use a larger machine (--skip-checks tries all the same)."
            : fmt::format(
                  "Try: --large-count {} --small-keys {}",
                  static_cast<std::uint64_t>(share * static_cast<double>(options.large_count)),
                  static_cast<std::uint64_t>(share * static_cast<double>(options.small_count)))));
  }
  if (disk.free < file) {
    throw std::runtime_error(
        fmt::format("the native full sync needs {} in {}, and there are {}.\nSet TMPDIR to another "
                    "directory, or try --no-native.",
                    bytes_text(file), scratch.parent_path().string(), bytes_text(disk.free)));
  }
}

void warm_memory(const Options& options) {
  // The host of a virtual machine takes back what has been free for a while, and the first touch
  // of that costs several times a page fault: what ran before a sync would decide how long it
  // takes. Some is left to others.
  const std::uint64_t wanted = sync_memory(estimated_bytes(options)) + file_bytes(options);
  const std::uint64_t bytes = std::min(wanted, available_memory() / 10 * 9);
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    throw std::system_error(errno, std::generic_category(), "cannot map memory to warm it");
  }
  // In whole blocks, as the host takes it back; where there are none, page by page.
  madvise(memory, bytes, MADV_HUGEPAGE);
  constexpr std::uint64_t kPage = 4096;
  for (std::uint64_t at = 0; at < bytes; at += kPage) {
    static_cast<volatile char*>(memory)[at] = 1;
  }
  munmap(memory, bytes);
}

MemoryWatch::MemoryWatch(pid_t pid)
    : pid_(pid),
      // 5 resets the high-water mark.
      kernel_keeps_peak_(std::ofstream(fmt::format("/proc/{}/clear_refs", pid))
                         << "5" << std::flush),
      before_(kilobytes_field(fmt::format("/proc/{}/status", pid), "VmRSS")),
      peak_(before_) {}

void MemoryWatch::sample() {
  const char* field = kernel_keeps_peak_ ? "VmHWM" : "VmRSS";
  peak_ = std::max(peak_, kilobytes_field(fmt::format("/proc/{}/status", pid_), field));
}

std::uint64_t MemoryWatch::growth() {
  sample();
  return peak_ - before_;
}

}  // namespace rdmasync::bench

#include "bench/measure/memory.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <limits>
#include <system_error>

namespace rdmasync::bench {
namespace {

constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();

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

}  // namespace

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

std::uint64_t available_memory() {
  return std::min(kilobytes_field("/proc/meminfo", "MemAvailable"), group_allowance());
}

void warm_memory(std::uint64_t bytes) {
  // The host of a virtual machine takes back what has been free for a while, and the first touch
  // of that costs several times a page fault: what ran before a sync would decide how long it
  // takes. Some is left to others.
  bytes = std::min(bytes, available_memory() / 10 * 9);
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

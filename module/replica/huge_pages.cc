#include "module/replica/huge_pages.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace rdmasync::replica {

namespace {

// An advice in the middle of a mapping leaves three of it.
constexpr long kMappingsEach = 2;

long number_in(const char* file) {
  long number = 0;
  std::ifstream(file) >> number;
  return number;
}

bool has_line(const char* file, std::string_view part) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (line.find(part) != std::string::npos) {
      return true;
    }
  }
  return false;
}

/// Bytes; 0 where the kernel has none, or none for this process: an advice would but split
/// mappings.
long page_size() {
  const std::string kernel = "/sys/kernel/mm/transparent_hugepage/";
  if (has_line((kernel + "enabled").c_str(), "[never]")) {
    return 0;
  }
  // Redis does so where they are for everybody. Kernels before 5.0 do not tell.
  if (has_line("/proc/self/status", "THP_enabled:\t0")) {
    return 0;
  }
  return number_in((kernel + "hpage_pmd_size").c_str());
}

long own_mappings() {
  std::ifstream maps("/proc/self/maps");
  return std::count(std::istreambuf_iterator<char>(maps), {}, '\n');
}

}  // namespace

HugePages::HugePages()
    : page_(static_cast<std::size_t>(page_size())),
      advices_((number_in("/proc/sys/vm/max_map_count") / 2 - own_mappings()) / kMappingsEach) {}

void HugePages::advise(std::span<std::byte> bytes) noexcept {
  if (page_ == 0 || bytes.size() < page_) {
    return;
  }
  const auto address = reinterpret_cast<std::uintptr_t>(bytes.data());
  const std::uintptr_t begin = (address + page_ - 1) / page_ * page_;
  const std::uintptr_t end = (address + bytes.size()) / page_ * page_;
  if (begin >= end || advices_.fetch_sub(1) <= 0) {
    return;
  }
  // NOLINTNEXTLINE(performance-no-int-to-ptr): rounded to its page
  ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
}

}  // namespace rdmasync::replica

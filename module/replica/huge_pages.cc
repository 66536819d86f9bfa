#include "module/replica/huge_pages.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iterator>

namespace rdmasync::replica {

namespace {

// An advice in the middle of a mapping leaves three of it.
constexpr long kMappingsEach = 2;

long number_in(const char* file) {
  long number = 0;
  std::ifstream(file) >> number;
  return number;
}

long own_mappings() {
  std::ifstream maps("/proc/self/maps");
  return std::count(std::istreambuf_iterator<char>(maps), {}, '\n');
}

}  // namespace

HugePages::HugePages()
    : page_(static_cast<std::size_t>(
          number_in("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size"))),
      advices_((number_in("/proc/sys/vm/max_map_count") / 2 - own_mappings()) / kMappingsEach) {}

void HugePages::advise(std::span<std::byte> bytes) noexcept {
  if (page_ == 0 || bytes.size() < page_) return;
  const auto address = reinterpret_cast<std::uintptr_t>(bytes.data());
  const std::uintptr_t begin = (address + page_ - 1) / page_ * page_;
  const std::uintptr_t end = (address + bytes.size()) / page_ * page_;
  if (begin >= end || advices_.fetch_sub(1) <= 0) return;
  // NOLINTNEXTLINE(performance-no-int-to-ptr): rounded to its page
  ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
}

}  // namespace rdmasync::replica

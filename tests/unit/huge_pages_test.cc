// Which pages of a value are asked for: the whole huge ones inside of it, and no others.

#include "module/replica/huge_pages.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>

namespace rdmasync::replica {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr std::size_t kPage = 2 * kMiB;

/// Fresh memory that begins with a huge page.
class Memory {
 public:
  explicit Memory(std::size_t size) : size_(size + kPage) {
    void* memory = mmap(nullptr, size_, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
      throw std::bad_alloc();
    }
    memory_ = static_cast<std::byte*>(memory);
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory() { munmap(memory_, size_); }

  std::byte* begin() const {
    const auto address = reinterpret_cast<std::uintptr_t>(memory_);
    return memory_ + (kPage - address % kPage) % kPage;
  }

 private:
  std::size_t size_;
  std::byte* memory_ = nullptr;
};

/// Whether the kernel would use huge pages at the address: "hg" among its mapping's flags.
bool is_advised(const std::byte* address) {
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  std::ifstream smaps("/proc/self/smaps");
  bool inside = false;
  for (std::string line; std::getline(smaps, line);) {
    std::istringstream text(line);
    std::uintptr_t from = 0;
    std::uintptr_t to = 0;
    char dash = 0;
    if (text >> std::hex >> from >> dash >> to && dash == '-') {
      inside = from <= wanted && wanted < to;
    } else if (inside && line.starts_with("VmFlags:")) {
      return line.find(" hg") != std::string::npos;
    }
  }
  return false;
}

class HugePagesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::size_t size = 0;
    std::ifstream("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size") >> size;
    std::string enabled;
    std::getline(std::ifstream("/sys/kernel/mm/transparent_hugepage/enabled"), enabled);
    if (size != kPage || enabled.find("[never]") != std::string::npos) {
      GTEST_SKIP() << "this kernel has no huge pages of 2 MiB";
    }
  }
};

TEST_F(HugePagesTest, OnlyWholePagesOfTheValue) {
  const Memory memory(8 * kMiB);
  HugePages().advise({memory.begin() + kMiB, 5 * kMiB + kMiB / 2});
  EXPECT_FALSE(is_advised(memory.begin() + kMiB));
  EXPECT_TRUE(is_advised(memory.begin() + 2 * kMiB));
  EXPECT_TRUE(is_advised(memory.begin() + 6 * kMiB - 1));
  EXPECT_FALSE(is_advised(memory.begin() + 6 * kMiB));
}

TEST_F(HugePagesTest, NoneInAValueThatFillsNone) {
  const Memory memory(4 * kMiB);
  HugePages().advise({memory.begin() + 1, 2 * kPage - 2});
  HugePages().advise({memory.begin(), kPage - 1});
  EXPECT_FALSE(is_advised(memory.begin()));
  EXPECT_FALSE(is_advised(memory.begin() + kPage));
}

/// As Redis does where they are for everybody.
TEST_F(HugePagesTest, NoneWhereTheProcessHasSwitchedThemOff) {
  const Memory memory(2 * kPage);
  ASSERT_EQ(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0), 0);
  HugePages().advise({memory.begin(), kPage});
  ASSERT_EQ(prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0), 0);
  EXPECT_FALSE(is_advised(memory.begin()));
}

TEST_F(HugePagesTest, LeavesTheProcessHalfOfItsMappings) {
  long allowed = 0;
  std::ifstream("/proc/sys/vm/max_map_count") >> allowed;
  if (allowed > 100'000) {
    GTEST_SKIP() << "this many mappings take too much of this machine";
  }
  // Each value lets two pages be: every advice splits.
  const std::size_t values = static_cast<std::size_t>(allowed) / 2;
  const Memory memory(values * 2 * kPage);
  HugePages huge_pages;
  for (std::size_t i = 0; i < values; ++i) {
    huge_pages.advise({memory.begin() + i * 2 * kPage, kPage});
  }
  long mappings = 0;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    ++mappings;
  }
  // The budget is that of the beginning; memory of the test, or of a sanitizer, comes on top.
  constexpr long kOthers = 16;
  EXPECT_LE(mappings, allowed / 2 + kOthers);
  EXPECT_GT(mappings, allowed / 4);
}

}  // namespace
}  // namespace rdmasync::replica

#pragma once

#include <atomic>
#include <cstddef>
#include <span>

namespace rdmasync::replica {

/// Asks the kernel for huge pages where large values are read to: a page fault for 2 MiB instead of
/// 512 of them. Only pages that a value fills are asked for, so it takes no more memory.
///
/// Every advice splits the process's mappings, of which the kernel allows vm.max_map_count: this
/// leaves the server at least half of them. Where the kernel knows no such pages, or the server has
/// switched them off for itself, an advice has no effect.
class HugePages {
 public:
  /// Reads what the kernel says of itself and this process: not for the main thread.
  HugePages();

  /// Advises on the whole huge pages inside of `bytes`. Any thread.
  void advise(std::span<std::byte> bytes) noexcept;

 private:
  std::size_t page_ = 0;          ///< bytes; 0: there are none
  std::atomic<long> advices_{0};  ///< that are left
};

}  // namespace rdmasync::replica

#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <span>

#include "rdma/emulated/mapping.h"

namespace rdmasync::rdma {

/// One registered region, as a peer on the same host reads it out of the owner's memory.
struct RegionEntry {
  std::uint64_t key;  ///< kLive | rkey; 0 while no region has this entry
  std::uint64_t address;
  std::uint64_t length;
  std::uint64_t generation;  ///< how often the entry was used; of no interest to a peer

  static constexpr std::uint64_t kLive = std::uint64_t{1} << 32;

  bool allows(std::uint32_t rkey, std::uint64_t remote, std::size_t bytes) const {
    return key == (kLive | rkey) && remote >= address && bytes <= length &&
           remote - address <= length - bytes;
  }
};

/// How to find the entry of an rkey. A key is an entry's index and generation, masked by a random
/// number of each table, so that a key of another process or of an earlier life is not valid by
/// accident.
struct RegionKeys {
  static constexpr unsigned kIndexBits = 18;
  static constexpr std::uint32_t kEntries = 1U << kIndexBits;

  std::uint32_t mask;

  std::uint32_t index(std::uint32_t rkey) const { return (rkey ^ mask) & (kEntries - 1); }
  std::uint32_t rkey(std::uint32_t index, std::uint64_t generation) const {
    return (static_cast<std::uint32_t>(generation << kIndexBits) | index) ^ mask;
  }
};

/// The regions of one fabric that peers may read. Any thread; every call is O(1).
class RegionTable {
 public:
  RegionTable();

  /// Returns the region's rkey. Throws Error(kResources) beyond kEntries regions.
  std::uint32_t add(std::span<const std::byte> bytes);
  void remove(std::uint32_t rkey);

  bool allows(std::uint32_t rkey, std::uint64_t remote, std::size_t bytes) const;

  RegionKeys keys() const { return keys_; }
  const RegionEntry* entries() const { return entries_; }

 private:
  mutable std::mutex mutex_;
  Mapping memory_;
  RegionEntry* entries_;
  RegionKeys keys_;
  std::uint32_t never_used_ = 0;    ///< the first entry that was never used
  std::deque<std::uint32_t> free_;  ///< used before, oldest first
};

}  // namespace rdmasync::rdma

#include "rdma/emulated/region_table.h"

#include <atomic>
#include <cstring>
#include <new>

#include "rdma/fabric.h"
#include "rdmasync/error.h"

namespace rdmasync::rdma {
namespace {

// A freed entry rests until this many others were freed: with 14 bits of generation an rkey returns
// after 16 million registrations at the earliest.
constexpr std::size_t kResting = 1024;

std::uint32_t random_mask() {
  const Token random = random_token();
  std::uint32_t mask = 0;
  std::memcpy(&mask, random.data(), sizeof(mask));
  return mask;
}

// Peers read entries without a lock: the key is written last when an entry becomes valid, first
// when it ends.
void publish_key(RegionEntry& entry, std::uint64_t key) {
  std::atomic_ref(entry.key).store(key, std::memory_order_seq_cst);
}

}  // namespace

RegionTable::RegionTable()
    : memory_(RegionKeys::kEntries * sizeof(RegionEntry)),
      entries_(static_cast<RegionEntry*>(memory_.data())),
      keys_{random_mask()} {}

std::uint32_t RegionTable::add(std::span<const std::byte> bytes) {
  const std::lock_guard lock(mutex_);
  std::uint32_t index = 0;
  if (never_used_ < RegionKeys::kEntries && free_.size() <= kResting) {
    index = never_used_++;
  } else if (!free_.empty()) {
    index = free_.front();
    free_.pop_front();
  } else {
    throw Error(Errc::kResources, "too many memory regions are registered at once");
  }
  RegionEntry& entry = entries_[index];
  entry.address = reinterpret_cast<std::uintptr_t>(bytes.data());
  entry.length = bytes.size();
  const std::uint32_t rkey = keys_.rkey(index, entry.generation++);
  publish_key(entry, RegionEntry::kLive | rkey);
  return rkey;
}

void RegionTable::remove(std::uint32_t rkey) {
  const std::lock_guard lock(mutex_);
  const std::uint32_t index = keys_.index(rkey);
  publish_key(entries_[index], 0);
  free_.push_back(index);
}

bool RegionTable::allows(std::uint32_t rkey, std::uint64_t remote, std::size_t bytes) const {
  const std::lock_guard lock(mutex_);
  return entries_[keys_.index(rkey)].allows(rkey, remote, bytes);
}

}  // namespace rdmasync::rdma

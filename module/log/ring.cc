#include "module/log/ring.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>

namespace rdmasync::log {

using log_format::kHeaderSize;
using log_format::LogHeader;
using log_format::RecordHeader;

namespace {

std::size_t round_up(std::size_t size, std::size_t unit) {
  return (size + unit - 1) / unit * unit;
}

std::byte* map_memory(std::size_t size) {
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    throw Error(Errc::kResources, "no memory for an export log of " + std::to_string(size) +
                                      " bytes: lower rdmasync.export-memory");
  }
  // A forked child has no use for the log, and would copy pages that the fabric has pinned.
  ::madvise(memory, size, MADV_DONTFORK);
  return static_cast<std::byte*>(memory);
}

}  // namespace

void Ring::Unmap::operator()(std::byte* memory) const {
  ::munmap(memory, size);
}

Ring::Ring(rdma::Fabric& fabric, std::size_t capacity)
    : capacity_(round_up(capacity, static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)))),
      memory_(map_memory(kHeaderSize + capacity_), Unmap{kHeaderSize + capacity_}),
      region_(fabric.register_memory({memory_.get(), kHeaderSize + capacity_},
                                     rdma::Access::kRemoteRead)) {
  header().magic = log_format::kMagic;
  header().capacity = capacity_;
}

std::byte* Ring::at(std::uint64_t position) const {
  return memory_.get() + kHeaderSize + position % capacity_;
}

LogHeader& Ring::header() const {
  return *reinterpret_cast<LogHeader*>(memory_.get());
}

std::string_view Ring::bytes_from(std::uint64_t position) const {
  const std::uint64_t to_end = capacity_ - position % capacity_;
  return {reinterpret_cast<const char*>(at(position)), std::min(head_ - position, to_end)};
}

bool Ring::append(const RecordInfo& info, std::string_view first, std::string_view second,
                  std::string_view third) {
  const std::size_t body = first.size() + second.size() + third.size();
  const std::size_t size = record_size(body);
  const std::size_t to_end = capacity_ - head_ % capacity_;
  const std::size_t padding = size > to_end ? to_end : 0;
  if (used() + padding + size > capacity_) {
    return false;
  }

  if (padding > 0) {
    const RecordHeader pad = padding_of(padding);
    std::memcpy(at(head_), &pad, sizeof(pad));
    head_ += padding;
  }

  const RecordHeader header = header_of(info, body);
  std::byte* to = at(head_);
  std::memcpy(to, &header, sizeof(header));
  to += sizeof(header);
  for (const std::string_view part : {first, second, third}) {
    if (!part.empty()) {
      std::memcpy(to, part.data(), part.size());
    }
    to += part.size();
  }
  head_ += size;
  return true;
}

void Ring::show_head() {
  LogHeader& shared = header();
  shared.payload_bytes = progress_.payload_bytes;
  shared.keys_published = progress_.keys_published;
  shared.keys_estimated = progress_.keys_estimated;
  shared.keys_scanned = progress_.keys_scanned;
  // Last, and not before the records are in memory: a replica may read at any moment.
  std::atomic_ref(shared.head).store(head_, std::memory_order_release);
}

void Ring::release(std::uint64_t position) {
  if (position > tail_ && position <= head_) {
    tail_ = position;
  }
}

}  // namespace rdmasync::log

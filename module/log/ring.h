#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "module/log/record.h"
#include "rdma/fabric.h"
#include "rdmasync/log_format.h"

namespace rdmasync::log {

/// The export log: registered memory that replicas read. Main thread only.
///
/// Anonymous memory is touched only as far as records reach, so a small dataset costs little.
class Ring {
 public:
  /// `capacity` in bytes, rounded up to a page. Throws Error(kResources).
  Ring(rdma::Fabric& fabric, std::size_t capacity);

  /// Appends a record whose body is those three, or returns false: no room for it now.
  bool append(const RecordInfo& info, std::string_view first, std::string_view second = {},
              std::string_view third = {});

  /// Lets replicas see what was appended.
  void show_head();

  /// Nobody needs what is before `position`.
  void release(std::uint64_t position);

  /// The largest body that travels inside the ring; larger ones need memory of their own.
  std::size_t max_body() const { return capacity_ / 8; }

  std::uint64_t head() const { return head_; }
  std::uint64_t tail() const { return tail_; }
  std::size_t capacity() const { return capacity_; }
  std::size_t used() const { return head_ - tail_; }
  std::uint64_t header_address() const { return reinterpret_cast<std::uint64_t>(memory_.get()); }
  rdma::PartKeys rkeys() const { return region_->rkeys(); }

  /// What is there from a position on, from tail() to head(): up to the ring's end, in place.
  std::string_view bytes_from(std::uint64_t position) const;

  /// What the header tells of progress, besides the head.
  struct Progress {
    std::uint64_t payload_bytes = 0;
    std::uint64_t keys_published = 0;
    std::uint64_t keys_estimated = 0;
    std::uint64_t keys_scanned = 0;
  };
  Progress& progress() { return progress_; }

 private:
  struct Unmap {
    std::size_t size;
    void operator()(std::byte* memory) const;
  };
  std::byte* at(std::uint64_t position) const;
  log_format::LogHeader& header() const;

  std::size_t capacity_;
  std::unique_ptr<std::byte, Unmap> memory_;
  std::unique_ptr<rdma::MemoryRegion> region_;
  Progress progress_;
  std::uint64_t head_ = 0;
  std::uint64_t tail_ = 0;
};

}  // namespace rdmasync::log

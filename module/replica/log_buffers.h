#pragma once

#include <cstddef>
#include <memory>

#include "rdma/fabric.h"

namespace rdmasync::replica {

/// Registered memory for what is read from the log. Blocks of it live for as long as someone holds
/// them, also beyond this, and the fabric; registered is only the last.
class LogBuffers {
 public:
  explicit LogBuffers(rdma::Fabric& fabric) : fabric_(fabric) {}

  /// Room for one read of up to `size` bytes. What an earlier room held beyond its keep() is given
  /// back. Throws Error(kResources).
  std::byte* room(std::size_t size);
  const rdma::MemoryRegion& region() const { return *region_; }

  /// Of the room, the first `size` bytes are needed for as long as the block is held.
  void keep(std::size_t size) { used_ += size; }
  /// That the room is in.
  std::shared_ptr<const void> block() const { return block_; }

 private:
  rdma::Fabric& fabric_;
  std::shared_ptr<std::byte[]> block_;
  std::size_t size_ = 0;
  std::size_t used_ = 0;
  std::unique_ptr<rdma::MemoryRegion> region_;
};

}  // namespace rdmasync::replica

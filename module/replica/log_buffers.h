#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "rdma/fabric.h"

namespace rdmasync::replica {

/// Registered memory for what is read from the log, kept until the copy is loaded.
class LogBuffers {
 public:
  explicit LogBuffers(rdma::Fabric& fabric) : fabric_(fabric) {}

  /// Room for one read of up to `size` bytes. What an earlier room held beyond its keep() is given
  /// back. Throws Error(kResources).
  std::byte* room(std::size_t size);
  const rdma::MemoryRegion& region() const { return *region_; }

  /// Of the room, the first `size` bytes are needed to the end.
  void keep(std::size_t size) { used_ += size; }

  /// All that is kept, no longer registered; it outlives this, and the fabric. The last call.
  std::shared_ptr<const void> take();

 private:
  using Blocks = std::vector<std::unique_ptr<std::byte[]>>;

  rdma::Fabric& fabric_;
  std::shared_ptr<Blocks> blocks_ = std::make_shared<Blocks>();
  // Of the last block.
  std::size_t size_ = 0;
  std::size_t used_ = 0;
  std::unique_ptr<rdma::MemoryRegion> region_;
};

}  // namespace rdmasync::replica

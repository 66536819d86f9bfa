#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "rdma/fabric.h"

namespace rdmasync::replica {

/// Registered memory for what is read from the log, kept until the copy is loaded.
class RecordStore {
 public:
  explicit RecordStore(rdma::Fabric& fabric) : fabric_(fabric) {}

  /// Room for one read of up to `size` bytes. What an earlier room held beyond its keep() is given
  /// back. Throws Error(kResources).
  std::byte* room(std::size_t size);
  const rdma::MemoryRegion& region() const { return *block_.region; }

  /// Of the room, the first `size` bytes are needed to the end.
  void keep(std::size_t size) { used_ += size; }

 private:
  struct Block {
    std::unique_ptr<std::byte[]> bytes;
    std::unique_ptr<rdma::MemoryRegion> region;  ///< only while it is being filled
    std::size_t size = 0;
  };

  rdma::Fabric& fabric_;
  Block block_;
  std::size_t used_ = 0;
  std::vector<std::unique_ptr<std::byte[]>> full_;
};

}  // namespace rdmasync::replica

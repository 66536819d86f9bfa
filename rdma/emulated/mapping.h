#pragma once

#include <cstddef>

namespace rdmasync::rdma {

/// Zeroed pages at an address that never changes; a page costs memory once it is written.
class Mapping {
 public:
  /// Throws Error(kResources).
  explicit Mapping(std::size_t bytes);
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping();

  void* data() const { return data_; }

 private:
  void* data_;
  std::size_t bytes_;
};

}  // namespace rdmasync::rdma

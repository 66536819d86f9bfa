#pragma once

#include "rdma/unique_fd.h"

namespace rdmasync::rdma {

/// A file descriptor that is readable from set() until clear(). Any thread.
class Event {
 public:
  /// Throws Error(kResources).
  Event();
  int fd() const { return fd_.get(); }
  void set() const noexcept;
  void clear() const noexcept;

 private:
  UniqueFd fd_;
};

}  // namespace rdmasync::rdma

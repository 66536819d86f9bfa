#pragma once

#include "rdma/event.h"

namespace rdmasync::redis {

/// Keeps the server's event loop from sleeping, so that its before-sleep event comes at once.
class Waker {
 public:
  /// Main thread. Throws Error(kResources).
  Waker();
  Waker(const Waker&) = delete;
  Waker& operator=(const Waker&) = delete;
  ~Waker();

  /// Any thread, never blocks.
  void wake() const;

 private:
  rdma::Event event_;
};

}  // namespace rdmasync::redis

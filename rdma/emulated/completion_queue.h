#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <span>

#include "rdma/event.h"
#include "rdma/fabric.h"

namespace rdmasync::rdma {

/// Finished reads on their way to poll(). Any thread.
class CompletionQueue {
 public:
  void push(Completion completion);
  std::size_t poll(std::span<Completion> out);

  /// Readable exactly while the queue is not empty.
  int fd() const { return ready_.fd(); }

 private:
  std::mutex mutex_;
  std::deque<Completion> completions_;
  Event ready_;
};

}  // namespace rdmasync::rdma

#include "rdma/emulated/completion_queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace rdmasync::rdma {

void CompletionQueue::push(Completion completion) {
  const std::lock_guard lock(mutex_);
  completions_.push_back(std::move(completion));
  if (completions_.size() == 1) {
    ready_.set();
  }
}

std::size_t CompletionQueue::poll(std::span<Completion> out) {
  const std::lock_guard lock(mutex_);
  const std::size_t count = std::min(out.size(), completions_.size());
  if (count == 0) {
    return 0;
  }
  const auto end = std::next(completions_.begin(), static_cast<std::ptrdiff_t>(count));
  std::move(completions_.begin(), end, out.begin());
  completions_.erase(completions_.begin(), end);
  if (completions_.empty()) {
    ready_.clear();
  }
  return count;
}

}  // namespace rdmasync::rdma

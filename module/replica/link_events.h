#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace rdmasync::replica {

/// Counts how often this server's link to its master has come up. Any thread.
class LinkEvents {
 public:
  void up() {
    const std::lock_guard lock(mutex_);
    ++ups_;
    changed_.notify_all();
  }

  std::uint64_t count() {
    const std::lock_guard lock(mutex_);
    return ups_;
  }

  /// Whether there have been more than `seen`, by now or within `time`.
  bool wait_beyond(std::uint64_t seen, std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, time, [&] { return ups_ > seen; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t ups_ = 0;
};

}  // namespace rdmasync::replica

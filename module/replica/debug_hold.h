#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <stop_token>

#include "module/replica/sync_status.h"

namespace rdmasync::replica {

/// Lets a test hold a sync in a state of its choice: RDMASYNC.DEBUG PAUSE-AT.
class DebugHold {
 public:
  /// Hold every sync that enters the state; nothing: let go. Main thread.
  void set(std::optional<State> at) {
    const std::lock_guard lock(mutex_);
    at_ = at;
    changed_.notify_all();
  }

  /// On the sync's thread: returns at once unless held.
  void entered(State state, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, stop, [&] { return at_ != state; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<State> at_;
};

}  // namespace rdmasync::replica

#pragma once

#include <chrono>
#include <stop_token>
#include <utility>

#include "module/redis/main_thread.h"
#include "rdmasync/error.h"

namespace rdmasync::replica {

/// Runs a task on the main thread and waits for its result. A task that has not begun when `stop`
/// is requested never does. Throws what the task throws, or Error(kCancelled).
template <typename Task>
auto on_main(const std::stop_token& stop, Task task) -> decltype(task()) {
  constexpr std::chrono::milliseconds kLook{20};
  auto result = redis::run_on_main([stop, task = std::move(task)]() mutable {
    if (stop.stop_requested()) {
      throw Error(Errc::kCancelled, "stopped");
    }
    return task();
  });
  while (result.wait_for(kLook) != std::future_status::ready) {
    // The main thread may be waiting for this one: give way.
    if (stop.stop_requested()) {
      throw Error(Errc::kCancelled, "stopped");
    }
  }
  return result.get();
}

}  // namespace rdmasync::replica

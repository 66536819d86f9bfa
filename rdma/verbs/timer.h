#pragma once

#include <sys/timerfd.h>

#include <chrono>

#include "rdma/system.h"
#include "rdma/unique_fd.h"
#include "rdmasync/error.h"

namespace rdmasync::rdma::verbs {

/// A descriptor that is readable from a point in time on. Setting it anew costs a system call only
/// if it must ring earlier. For one thread.
class Timer {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr Clock::time_point kNever = Clock::time_point::max();

  Timer() : fd_(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) {
    if (!fd_) {
      throw Error(Errc::kResources, with_errno("cannot create a timer"));
    }
  }

  int fd() const { return fd_.get(); }

  /// Rings at `due` at the latest.
  void ring_by(Clock::time_point due) {
    if (due < rings_) {
      set(due);
    }
  }

  /// Stops ringing; to be set anew.
  void hush(Clock::time_point now) {
    if (rings_ <= now) {
      set(kNever);
    }
  }

 private:
  void set(Clock::time_point due) {
    using std::chrono::nanoseconds;
    rings_ = due;
    itimerspec spec{};  // zeros disarm it
    if (due != kNever) {
      const auto since_boot = std::chrono::duration_cast<nanoseconds>(due.time_since_epoch());
      spec.it_value.tv_sec = since_boot.count() / 1'000'000'000;
      spec.it_value.tv_nsec = since_boot.count() % 1'000'000'000;
    }
    timerfd_settime(fd_.get(), TFD_TIMER_ABSTIME, &spec, nullptr);
  }

  UniqueFd fd_;
  Clock::time_point rings_ = kNever;
};

}  // namespace rdmasync::rdma::verbs

#pragma once

#include <chrono>

#include "module/thread_cpu_time.h"

namespace rdmasync::master {

/// A share of the calling thread's CPU time. Where other processes take the processor meanwhile,
/// clients wait for that, too, and an export that gave up its share for it would fall behind them.
class Slice {
 public:
  explicit Slice(std::chrono::microseconds length) : length_(length) {}

  /// Looks at the CPU time only when it may be over: that takes several times as long as the wall
  /// clock, which runs at least as fast.
  bool is_over() {
    if (Clock::now() < may_end_) {
      return false;
    }
    const auto left = length_ - (thread_cpu_time() - start_);
    may_end_ = Clock::now() + left;
    return left <= std::chrono::microseconds::zero();
  }

 private:
  using Clock = std::chrono::steady_clock;

  std::chrono::microseconds length_;
  std::chrono::microseconds start_ = thread_cpu_time();
  Clock::time_point may_end_ = Clock::now() + length_;
};

}  // namespace rdmasync::master

#pragma once

#include <chrono>
#include <cstdint>

#include "module/thread_cpu_time.h"

namespace rdmasync::master {

/// How long a cut may keep the main thread, in CPU time of it.
class CutBudget {
 public:
  explicit CutBudget(std::chrono::microseconds limit) : limit_(limit) {}

  /// Whether something more can be captured that takes so long.
  bool allows(std::chrono::microseconds cost) {
    // Reading the clock takes a good part of what capturing a short key does.
    constexpr std::chrono::microseconds kShort{100};
    constexpr std::uint32_t kShortOnes = 16;
    if (cost < kShort && ++short_ones_ % kShortOnes != 0) {
      return true;
    }
    return spent() + cost <= limit_;
  }

  std::chrono::microseconds spent() const { return thread_cpu_time() - start_; }
  std::chrono::microseconds limit() const { return limit_; }

 private:
  std::chrono::microseconds limit_;
  std::chrono::microseconds start_ = thread_cpu_time();
  std::uint32_t short_ones_ = 0;
};

}  // namespace rdmasync::master

#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace rdmasync::master {

/// Whether another round leaves less to the cut of one replica than the rounds before. Keys that
/// are left are counted. Main thread.
class Convergence {
 public:
  using Clock = std::chrono::steady_clock;

  /// A burst of writes passes: for so long, and for as many rounds again as may be needed without
  /// one, a smaller cut is waited for.
  static constexpr std::chrono::seconds kLongestBurst{10};

  explicit Convergence(int max_rounds) : max_rounds_(max_rounds) {}

  /// Another round was asked for instead of a cut. True once: when rounds are found not to help.
  bool put_off(std::size_t left, Clock::time_point now) {
    fewest_left_ = std::min(fewest_left_, left);
    const bool just_failed = ++rounds_ == max_rounds_;
    if (just_failed) {
      failed_at_ = now;
    }
    return just_failed;
  }

  bool failed() const { return rounds_ >= max_rounds_; }

  /// Whether the cut is to be made now, however much is left.
  bool ends_by(std::size_t left, Clock::time_point now) const {
    return failed() && (rounds_ >= 2 * max_rounds_ || now >= failed_at_ + kLongestBurst ||
                        left / 3 <= fewest_left_ / 2);
  }

 private:
  int max_rounds_;
  int rounds_ = 0;
  std::size_t fewest_left_ = SIZE_MAX;
  Clock::time_point failed_at_;
};

}  // namespace rdmasync::master

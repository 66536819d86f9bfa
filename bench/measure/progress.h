#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace rdmasync::bench {

/// One line that is drawn again and again on a terminal, and nothing elsewhere.
class Progress {
 public:
  explicit Progress(std::string title);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `share` is 0 to 1.
  void show(const std::string& phase, double share, std::uint64_t bytes);

 private:
  using Clock = std::chrono::steady_clock;

  std::string title_;
  std::string phase_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point drawn_;
  bool terminal_;
};

}  // namespace rdmasync::bench

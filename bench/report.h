#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/native_log.h"

namespace rdmasync::bench {

/// What one sync was like.
struct Outcome {
  double total_ms = 0;
  std::vector<Part> parts;
  bool equal = false;
  double forks = 0;
  double slice_max_us = -1;  ///< -1: there is none
  double rounds = -1;
  double master_growth = 0;  ///< bytes beyond the dataset, of the master and its fork
  double longest_wait_ms = 0;
  double writes = 0;
  std::string fabric;
};

/// All runs of one way to sync.
struct Column {
  std::string title;
  std::vector<Outcome> outcomes;
};

std::string bytes_text(std::uint64_t bytes);
std::string time_text(double ms);

/// The table of all ways, medians if there were several runs. True if every digest was equal.
bool print_report(const std::vector<Column>& columns);

/// One line that is drawn again and again on a terminal; elsewhere, a line a phase.
class Progress {
 public:
  explicit Progress(std::string title);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `share` is 0 to 1, or less than 0 where nobody knows.
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

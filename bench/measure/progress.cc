#include "bench/measure/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "bench/text.h"

namespace rdmasync::bench {

Progress::Progress(std::string title) : title_(std::move(title)), terminal_(isatty(1) == 1) {}

Progress::~Progress() {
  if (terminal_) {
    fmt::print("\r\x1b[K");
    std::fflush(stdout);
  }
}

void Progress::show(const std::string& phase, double share, std::uint64_t bytes) {
  constexpr auto kRedraw = std::chrono::milliseconds(50);
  constexpr int kBar = 30;
  const auto now = Clock::now();
  const bool new_phase = phase != phase_;
  if (!terminal_ || (!new_phase && now - drawn_ < kRedraw)) {
    return;
  }
  phase_ = phase;
  drawn_ = now;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const int done = static_cast<int>(std::lround(std::clamp(share, 0.0, 1.0) * kBar));
  fmt::print("\r\x1b[K  {}  [{:#<{}}{:.<{}}] {:>11}  {:>6.2f} s  {}", title_, "", done, "",
             kBar - done, bytes_text(bytes), seconds, phase);
  std::fflush(stdout);
}

}  // namespace rdmasync::bench

#include "bench/text.h"

#include <fmt/format.h>

namespace rdmasync::bench {

std::string bytes_text(std::uint64_t bytes) {
  constexpr double kStep = 1024;
  const double kibi = static_cast<double>(bytes) / kStep;
  const double mebi = kibi / kStep;
  if (mebi >= kStep) {
    return fmt::format("{:.2f} GiB", mebi / kStep);
  }
  return mebi >= 1 || bytes == 0 ? fmt::format("{:.1f} MiB", mebi)
                                 : fmt::format("{:.0f} KiB", kibi);
}

std::string time_text(double ms) {
  return ms >= 1000 ? fmt::format("{:.2f} s", ms / 1000)
                    : fmt::format("{:.{}f} ms", ms, ms < 10 ? 1 : 0);
}

}  // namespace rdmasync::bench

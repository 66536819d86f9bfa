#include "bench/text.h"

#include <fmt/format.h>

namespace rdmasync::bench {

std::string bytes_text(std::uint64_t bytes) {
  constexpr double kMebi = 1024.0 * 1024.0;
  const double mebi = static_cast<double>(bytes) / kMebi;
  return mebi >= 1024 ? fmt::format("{:.2f} GiB", mebi / 1024) : fmt::format("{:.1f} MiB", mebi);
}

std::string time_text(double ms) {
  return ms >= 1000 ? fmt::format("{:.2f} s", ms / 1000)
                    : fmt::format("{:.{}f} ms", ms, ms < 10 ? 1 : 0);
}

}  // namespace rdmasync::bench

#include "bench/report/markdown_cells.h"

#include <fmt/format.h>

#include "bench/text.h"

namespace rdmasync::bench {

double total_ms(const Outcome& outcome) {
  return outcome.total_ms;
}

double not_serving_ms(const Outcome& outcome) {
  return outcome.not_serving_ms;
}

std::string row(const std::vector<std::string>& cells) {
  return fmt::format("| {} |\n", fmt::join(cells, " | "));
}

std::string head(const std::vector<std::string>& cells) {
  return row(cells) + "|---" + [&] {
    std::string rest;
    for (std::size_t i = 1; i < cells.size(); ++i) {
      rest += "|---:";
    }
    return rest;
  }() + "|\n";
}

std::string time_cell(const Selection& runs, const Figure& figure) {
  if (runs.empty()) {
    return "";
  }
  const Spread times = spread(runs, figure);
  return runs.size() == 1 ? time_text(times.median)
                          : fmt::format("{} ({} to {})", time_text(times.median),
                                        time_text(times.least), time_text(times.most));
}

std::string number_cell(const Spread& numbers, int digits) {
  if (numbers.least == numbers.most) {
    return fmt::format("{:.{}f}", numbers.median, digits);
  }
  return fmt::format("{:.{}f} ({:.{}f} to {:.{}f})", numbers.median, digits, numbers.least, digits,
                     numbers.most, digits);
}

}  // namespace rdmasync::bench

#include "bench/report/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <string>
#include <utility>

#include "bench/measure/statistics.h"
#include "bench/text.h"

namespace rdmasync::bench {
namespace {

constexpr int kLabelWidth = 32;
constexpr int kColumnWidth = 24;

double median_of(const Column& column, const std::function<double(const Outcome&)>& figure) {
  std::vector<double> values;
  for (const Outcome& outcome : column.outcomes) {
    values.push_back(figure(outcome));
  }
  return spread_of(std::move(values)).median;
}

double total_ms(const Column& column) {
  return median_of(column, [](const Outcome& outcome) { return outcome.total_ms; });
}

double worst_of(const Column& column, const std::function<double(const Outcome&)>& figure) {
  double worst = figure(column.outcomes.front());
  for (const Outcome& outcome : column.outcomes) {
    worst = std::max(worst, figure(outcome));
  }
  return worst;
}

bool all_equal(const Column& column) {
  return std::all_of(column.outcomes.begin(), column.outcomes.end(),
                     [](const Outcome& outcome) { return outcome.equal; });
}

void print_row(const std::vector<Column>& columns, std::string_view label,
               const std::function<std::string(const Column&)>& cell) {
  fmt::print("  {:<{}}", label, kLabelWidth);
  for (const Column& column : columns) {
    fmt::print("{:>{}}", cell(column), kColumnWidth);
  }
  fmt::print("\n");
}

std::string range_text(const Column& column) {
  const auto [least, most] = std::minmax_element(
      column.outcomes.begin(), column.outcomes.end(),
      [](const Outcome& left, const Outcome& right) { return left.total_ms < right.total_ms; });
  return fmt::format("{} to {}", time_text(least->total_ms), time_text(most->total_ms));
}

std::string bytes_cell(double bytes) {
  return bytes_text(static_cast<std::uint64_t>(bytes));
}

void print_parts(const Column& column) {
  fmt::print("  {}:", column.title);
  // Parts may be missing from a run, so go by name.
  for (const Part& part : column.outcomes.front().parts) {
    std::vector<double> values;
    for (const Outcome& outcome : column.outcomes) {
      for (const Part& other : outcome.parts) {
        if (other.name == part.name) {
          values.push_back(other.ms);
        }
      }
    }
    fmt::print(" {} {},", part.name, time_text(spread_of(std::move(values)).median));
  }
  fmt::print(" whole {}\n", time_text(total_ms(column)));
}

}  // namespace

bool print_summary(const std::vector<Column>& columns) {
  const std::size_t runs = columns.front().outcomes.size();
  const double reference = total_ms(columns.front());
  fmt::print("\n");
  print_row(columns, runs > 1 ? fmt::format("Medians of {} runs", runs) : "",
            [](const Column& column) { return column.title; });
  print_row(columns, "Command to replica serving",
            [](const Column& column) { return time_text(total_ms(column)); });
  if (runs > 1) {
    print_row(columns, "  fastest to slowest run", range_text);
  }
  print_row(
      columns, fmt::format("  times as long as {}", columns.front().title),
      [&](const Column& column) { return fmt::format("{:.2f}", total_ms(column) / reference); });
  print_row(columns, "Digests", [](const Column& column) {
    return std::string(all_equal(column) ? "equal" : "DIFFERENT");
  });
  print_row(columns, "Forks of the master", [](const Column& column) {
    return fmt::format("{}", worst_of(column, [](const Outcome& run) { return run.forks; }));
  });
  print_row(columns, "Master's extra memory", [](const Column& column) {
    return bytes_cell(worst_of(column, [](const Outcome& run) { return run.master_growth; }));
  });
  print_row(columns, "Master's main thread, CPU", [](const Column& column) {
    constexpr double kMs = 1000;
    return time_text(
        median_of(column, [](const Outcome& run) { return run.master_cpu.main * kMs; }));
  });
  print_row(columns, "Replica does not serve", [](const Column& column) {
    return time_text(median_of(column, [](const Outcome& run) { return run.not_serving_ms; }));
  });
  print_row(columns, "Master's longest slice", [](const Column& column) {
    const double us = worst_of(column, [](const Outcome& run) { return run.slice_max_us; });
    return us < 0 ? std::string("-") : fmt::format("{} us", us);
  });
  print_row(columns, "Rounds", [](const Column& column) {
    const double rounds = worst_of(column, [](const Outcome& run) { return run.rounds; });
    return rounds < 0 ? std::string("-") : fmt::format("{}", rounds);
  });
  print_row(columns, "Writes during the sync", [](const Column& column) {
    return fmt::format("{:.0f}", median_of(column, [](const Outcome& run) { return run.writes; }));
  });
  print_row(columns, "Longest wait of the writer", [](const Column& column) {
    return time_text(worst_of(column, [](const Outcome& run) { return run.longest_wait_ms; }));
  });
  fmt::print("\nWhere the time went\n");
  std::for_each(columns.begin(), columns.end(), print_parts);
  fmt::print(
      "\nThe ways took turns, each run beginning with another. Just before each sync, as much "
      "free\n"
      "memory as it needs was touched and given back: on a virtual machine, the first touch of\n"
      "memory that its host had taken back is several times as slow.\n\n");
  return std::all_of(columns.begin(), columns.end(), all_equal);
}

}  // namespace rdmasync::bench

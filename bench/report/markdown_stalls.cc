// What clients feel beside one large value.

#include <fmt/format.h>

#include <map>
#include <string>
#include <tuple>

#include "bench/measure/method.h"
#include "bench/report/markdown_cells.h"
#include "bench/report/markdown_tables.h"
#include "bench/report/selection.h"

namespace rdmasync::bench {

std::string stalls_table(const std::vector<Results>& all) {
  // By kind, size, and whether it is written.
  std::map<std::tuple<std::string, std::uint64_t, std::uint64_t, bool>, std::string> experiments;
  for (const Results& results : all) {
    for (const Run& run : results.runs) {
      if (run.experiment.starts_with("stall-")) {
        experiments[{run.dataset.collection, run.dataset.large_bytes, run.dataset.elements,
                     run.experiment.ends_with(kHot)}] = run.experiment;
      }
    }
  }
  if (experiments.empty()) {
    return "";
  }
  const auto methods = methods_in(all, experiments.begin()->second);
  std::vector<std::string> heads{"", "idle"};
  for (const std::string& method : methods) {
    heads.push_back(find_method(method).title);
  }
  for (const std::string& method : methods) {
    heads.push_back(find_method(method).title + "<br>sync");
  }
  std::string text =
      "The longest wait of the master's clients, and its p99.9, in milliseconds; 2000 requests a "
      "second, as above. A value that is written gets 1000 commands a second.\n\n" +
      head(heads);
  for (const auto& [order, experiment] : experiments) {
    const auto cell = [](const Selection& runs, Latency Outcome::*when) {
      const auto of = [&](double Latency::*field) {
        return spread(runs, [=](const Outcome& run) { return run.*when.*field; }).median;
      };
      return runs.empty() ? ""
                          : fmt::format("{:.1f} ({:.1f})", of(&Latency::most), of(&Latency::p999));
    };
    Selection any;
    std::vector<std::string> waits;
    std::vector<std::string> times;
    for (const std::string& method : methods) {
      const Selection runs = select(all, experiment, method);
      any.insert(any.end(), runs.begin(), runs.end());
      waits.push_back(cell(runs, &Outcome::during));
      times.push_back(time_cell(runs));
    }
    std::vector<std::string> cells{describe(any.front()->dataset) +
                                   (std::get<bool>(order) ? ", written" : "")};
    cells.push_back(cell(any, &Outcome::idle));
    cells.insert(cells.end(), waits.begin(), waits.end());
    cells.insert(cells.end(), times.begin(), times.end());
    text += row(cells);
  }
  return text + "\n";
}

}  // namespace rdmasync::bench

#include "bench/report/markdown_tables.h"

#include <fmt/format.h>

#include <array>
#include <string>

#include "bench/measure/method.h"
#include "bench/measure/network.h"
#include "bench/measure/raw.h"
#include "bench/report/markdown_cells.h"
#include "bench/report/selection.h"

namespace rdmasync::bench {
namespace {

/// The experiments that differ by the network alone.
constexpr std::array kByNetwork{"router", "direct", "wire", "original"};

/// What the original measured, by row.
std::string original_of(const std::string& method) {
  if (method == "slaveof-disk") {
    return "24 s over direct TCP, 13.5 s of it writing the file";
  }
  if (method == "rdmasync-verbs") {
    return "1.02 s; 2.8 s with a byte-by-byte copy";
  }
  return "";
}

}  // namespace

std::string methods_table(const std::vector<Results>& all) {
  std::vector<std::string> heads{""};
  for (const char* experiment : kByNetwork) {
    const Dataset* dataset = dataset_of(all, experiment);
    const std::string network = std::string(experiment) == "original" ? "loopback" : experiment;
    heads.push_back(network_title(network) +
                    (dataset == nullptr ? ""
                                        : fmt::format("<br>{}<br>rounds: {}", describe(*dataset),
                                                      rounds_of(all, experiment))));
  }
  heads.emplace_back("the original");
  std::string text = head(heads);
  for (const Method& method : all_methods()) {
    std::vector<std::string> cells{method.title};
    bool any = false;
    for (const char* experiment : kByNetwork) {
      cells.push_back(time_cell(select(all, experiment, method.name)));
      any = any || !cells.back().empty();
    }
    cells.push_back(original_of(method.name));
    text += any ? row(cells) : "";
  }
  const auto raw_row = [&](const std::string& title, const std::vector<std::string>& names,
                           const std::string& original) {
    std::vector<std::string> cells{title};
    for (const char* experiment : kByNetwork) {
      std::string cell;
      for (const std::string& name : names) {
        const auto lines = select_raw(all, experiment, name);
        if (!lines.empty() && cell.empty()) {
          cell = fmt::format("{:.0f} MB/s", spread(lines).median);
        }
      }
      cells.push_back(cell);
    }
    cells.push_back(original);
    return row(cells);
  };
  text += raw_row("raw TCP", {"TCP"}, "");
  text +=
      raw_row("raw one-sided reads", {"reads, verbs", "reads, cma"}, "3180 MB/s, the line rate");
  return text + "\n";
}

std::string raw_table(const std::vector<Results>& all) {
  std::string text = head({"Line", "MB/s"});
  for (const char* experiment : kByNetwork) {
    const std::string network = std::string(experiment) == "original" ? "loopback" : experiment;
    for (const std::string& name : raw_names(network)) {
      const auto lines = select_raw(all, experiment, name);
      if (!lines.empty()) {
        text += row({network_title(network) + ": " + name, number_cell(spread(lines), 0)});
      }
    }
  }
  return text +
         "\nDisk by fio, TCP by iperf3 over one connection, `ib_...` by perftest. Reads are "
         "one-sided reads by our fabric of as many bytes as the dataset has, every value into "
         "fresh memory; memcpy is into fresh memory, too.\n\n";
}

std::string configurations() {
  std::string text =
      "Both ends of every method have `save \"\"` and, beyond that, Redis's defaults, by which a "
      "master of a full sync waits 5 seconds for more replicas before it forks, and:\n\n";
  for (const Method& method : all_methods()) {
    text += fmt::format("- {} (`{}`): {}\n", method.title, method.name,
                        method.settings.empty()
                            ? std::string("nothing")
                            : fmt::format("`{}`", fmt::join(method.settings, "`, `")));
  }
  return text;
}

}  // namespace rdmasync::bench

// What more replicas and clients make of a sync.

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "bench/measure/method.h"
#include "bench/report/markdown_cells.h"
#include "bench/report/markdown_tables.h"
#include "bench/report/selection.h"

namespace rdmasync::bench {
namespace {

/// Three replicas against one, round by round.
std::string main_thread_by_replicas(const std::vector<Results>& all,
                                    const std::string& experiment) {
  std::string text;
  for (const std::string& method : methods_in(all, experiment)) {
    std::vector<double> ratios;
    for (const Run* three : select(all, experiment, method, 3)) {
      for (const Run* one : select(all, experiment, method, 1)) {
        if (three->round == one->round && one->outcome.master_cpu.main > 0) {
          ratios.push_back(three->outcome.master_cpu.main / one->outcome.master_cpu.main);
        }
      }
    }
    text += fmt::format("- {}: {}\n", find_method(method).title,
                        number_cell(spread_of(std::move(ratios)), 2));
  }
  return text.empty()
             ? ""
             : "CPU time of the master's main thread for three replicas, to that for one:\n\n" +
                   text;
}

std::string replicas_table(const std::vector<Results>& all, const std::string& experiment) {
  const Dataset* dataset = dataset_of(all, experiment);
  if (dataset == nullptr) {
    return "";
  }
  std::vector<std::string> heads{"Replicas"};
  const auto methods = methods_in(all, experiment);
  for (const std::string& method : methods) {
    heads.push_back(find_method(method).title + "<br>time");
    heads.emplace_back("master's CPU s: main thread / threads / children");
  }
  std::string text = describe(*dataset) + ":\n\n" + head(heads);
  for (const std::uint64_t replicas : replicas_in(all, experiment)) {
    std::vector<std::string> cells{std::to_string(replicas)};
    for (const std::string& method : methods) {
      const Selection runs = select(all, experiment, method, replicas);
      cells.push_back(time_cell(runs));
      cells.push_back(fmt::format(
          "{:.3f} / {:.2f} / {:.2f}",
          spread(runs, [](const Outcome& run) { return run.master_cpu.main; }).median,
          spread(runs, [](const Outcome& run) { return run.master_cpu.threads; }).median,
          spread(runs, [](const Outcome& run) { return run.master_cpu.children; }).median));
    }
    text += row(cells);
  }
  return text + "\n" + main_thread_by_replicas(all, experiment) + "\n";
}

}  // namespace

std::string replicas_tables(const std::vector<Results>& all) {
  return replicas_table(all, "replicas") + replicas_table(all, "replicas-small");
}

std::string clients_table(const std::vector<Results>& all) {
  const std::string experiment = "clients";
  const Dataset* dataset = dataset_of(all, experiment);
  if (dataset == nullptr) {
    return "";
  }
  std::string text = fmt::format(
      "{}. Clients of the master, 16 connections, come at a fixed rate: four GETs to a SET of 100 "
      "bytes. A latency counts from when a request was due. Idle is the same clients with the "
      "same servers in the seconds before the sync. The clients' thread has real-time priority, "
      "as if it were on a machine of its own. Of a sync during which the host of a "
      "virtual machine took more than 0.5% of the time away there are up to three, and the least "
      "disturbed counts.\n\n",
      describe(*dataset));
  text += head({"", "p50, ms", "p99, ms", "p99.9, ms", "longest, ms", "answered of those due",
                "sync", "replica does not serve"});
  const auto line = [&](const std::string& title, const Selection& runs, bool idle) {
    const auto of = [&](double Latency::*field) {
      return spread(runs,
                    [=](const Outcome& run) { return (idle ? run.idle : run.during).*field; });
    };
    const auto cell = [&](double Latency::*field) { return number_cell(of(field), 2); };
    text +=
        row({title, cell(&Latency::p50), cell(&Latency::p99), cell(&Latency::p999),
             cell(&Latency::most),
             fmt::format("{:.1f}%", of(&Latency::served).median /
                                        std::max(of(&Latency::offered).median, 1.0) * 100),
             idle ? "" : time_cell(runs),
             idle ? "" : time_cell(runs, [](const Outcome& run) { return run.not_serving_ms; })});
  };
  const auto methods = methods_in(all, experiment);
  Selection any;
  for (const std::string& method : methods) {
    const Selection runs = select(all, experiment, method);
    any.insert(any.end(), runs.begin(), runs.end());
  }
  line("idle, before all of these", any, true);
  for (const std::string& method : methods) {
    line(find_method(method).title, select(all, experiment, method), false);
  }
  return text + "\n";
}

}  // namespace rdmasync::bench

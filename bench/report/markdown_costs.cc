// Where time, CPU and memory go.

#include <fmt/format.h>

#include <array>
#include <string>
#include <utility>

#include "bench/measure/method.h"
#include "bench/measure/network.h"
#include "bench/report/markdown_cells.h"
#include "bench/report/markdown_tables.h"
#include "bench/report/selection.h"
#include "bench/text.h"

namespace rdmasync::bench {
namespace {

constexpr std::array kByMethod{"original", "small", "clients", "direct", "router", "wire"};

double pull_ms(const Outcome& outcome) {
  for (const Part& part : outcome.parts) {
    if (part.name == "pull") {
      return part.ms;
    }
  }
  return outcome.total_ms;
}

/// The time that raw reads of the same bytes take by themselves, to that of syncs or parts of them.
Spread reads_to(const Selection& runs, const std::vector<const RawLine*>& reads,
                const Figure& figure) {
  std::vector<double> shares;
  for (const Run* run : runs) {
    const double megabytes =
        static_cast<double>(run->dataset.large_count * run->dataset.large_bytes) / 1e6;
    for (const RawLine* line : reads) {
      if (run->round == line->round) {
        shares.push_back(megabytes / line->mb_per_s / (figure(run->outcome) / 1000));
      }
    }
  }
  return spread_of(std::move(shares));
}

}  // namespace

std::string ratios_table(const std::vector<Results>& all) {
  std::string text;
  for (const char* experiment : {"original", "small", "wire"}) {
    const std::string fabric = std::string(experiment) == "wire" ? "verbs" : "cma";
    const Selection ours = select(all, experiment, "rdmasync-" + fabric);
    if (ours.empty()) {
      continue;
    }
    const std::string where = fmt::format("{}, {}", describe(ours.front()->dataset),
                                          network_title(ours.front()->network));
    const std::string reference = find_method(ours.front()->method).title;
    const auto add = [&](const std::string& what, const Spread& ratios) {
      text += row({where, what, number_cell(ratios, 2), std::to_string(ours.size())});
    };
    for (const std::string& method : methods_in(all, experiment)) {
      if (method != ours.front()->method) {
        add(fmt::format("{}: time, to that of {}", find_method(method).title, reference),
            ratio(select(all, experiment, method), ours, total_ms));
      }
    }
    const std::string best_title = find_method("slaveof-diskless-best").title;
    const auto best = select(all, experiment, "slaveof-diskless-best");
    if (!best.empty()) {
      add(fmt::format("{}: time that the replica does not serve, to that of {}", reference,
                      best_title),
          ratio(ours, best, not_serving_ms));
    }
    for (const char* pages : {"", ", huge pages"}) {
      const auto reads = select_raw(all, experiment, "reads, " + fabric + pages);
      if (reads.empty()) {
        continue;
      }
      const std::string what = fmt::format("raw reads of the same{}: time, to that of ", pages);
      add(what + reference, reads_to(ours, reads, total_ms));
      add(fmt::format("{}the pull of {}", what, reference), reads_to(ours, reads, pull_ms));
      if (!best.empty()) {
        add(what + best_title, reads_to(best, reads, total_ms));
      }
    }
  }
  return text.empty() ? ""
                      : "Ratios, each between runs of one round:\n\n"
                        "| Data and network | What | Ratio | Rounds |\n|---|---|---:|---:|\n" +
                            text + "\n";
}

std::string parts_list(const std::vector<Results>& all) {
  std::string text;
  for (const char* experiment : kByMethod) {
    for (const std::string& method : methods_in(all, experiment)) {
      const Selection runs = select(all, experiment, method);
      std::string parts;
      for (const Part& part : runs.front()->outcome.parts) {
        std::vector<double> times;
        for (const Run* run : runs) {
          for (const Part& other : run->outcome.parts) {
            if (other.name == part.name) {
              times.push_back(other.ms);
            }
          }
        }
        parts += fmt::format("{}{} {}", parts.empty() ? "" : ", ", part.name,
                             time_text(spread_of(times).median));
      }
      const Outcome& last = runs.back()->outcome;
      if (last.values_in_place >= 0) {
        parts += fmt::format("; {:.0f} values read in place, {:.0f} keys and {} by the ring",
                             last.values_in_place, last.values_in_ring,
                             bytes_text(static_cast<std::uint64_t>(last.ring_bytes)));
      }
      if (!parts.empty()) {
        text += row({experiment, find_method(method).title, parts});
      }
    }
  }
  return text.empty() ? ""
                      : "Where the time goes, medians of every part:\n\n| Experiment | Method | "
                        "Parts |\n|---|---|---|\n" +
                            text + "\n";
}

std::string costs_table(const std::vector<Results>& all) {
  std::string text;
  const auto seconds = [](const Selection& runs, const Figure& figure) {
    return fmt::format("{:.2f}", spread(runs, figure).median);
  };
  const auto bytes = [](const Selection& runs, const Figure& figure) {
    return bytes_text(static_cast<std::uint64_t>(spread(runs, figure).most));
  };
  for (const char* experiment : kByMethod) {
    for (const std::string& method : methods_in(all, experiment)) {
      const Selection runs = select(all, experiment, method);
      text += row(
          {experiment, find_method(method).title,
           fmt::format("{:.0f}", spread(runs, [](const Outcome& run) { return run.forks; }).most),
           bytes(runs, [](const Outcome& run) { return run.master_growth; }),
           bytes(runs, [](const Outcome& run) { return run.replica_growth; }),
           time_text(spread(runs, not_serving_ms).median),
           fmt::format("{} / {} / {}",
                       seconds(runs, [](const Outcome& run) { return run.master_cpu.main; }),
                       seconds(runs, [](const Outcome& run) { return run.master_cpu.threads; }),
                       seconds(runs, [](const Outcome& run) { return run.master_cpu.children; })),
           fmt::format("{} / {}",
                       seconds(runs, [](const Outcome& run) { return run.replica_cpu.main; }),
                       seconds(runs, [](const Outcome& run) { return run.replica_cpu.threads; })),
           fmt::format("{:.0f}", spread(runs, [](const Outcome& run) {
                                   return run.replica_faults / 1000;
                                 }).median)});
    }
  }
  return text.empty()
             ? ""
             : "What it costs: forks and extra memory at their worst, the rest as medians. CPU "
               "seconds are those of the main thread, of the other threads, and of children. A "
               "replica that answers within 5 ms counts as serving.\n\n" +
                   head({"Experiment", "Method", "Forks", "Master's extra memory",
                         "Replica's extra memory", "Replica does not serve", "Master's CPU s",
                         "Replica's CPU s", "Replica's page faults, thousands"}) +
                   text + "\n";
}

}  // namespace rdmasync::bench

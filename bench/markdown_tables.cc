#include "bench/markdown_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "bench/method.h"
#include "bench/network.h"
#include "bench/raw.h"
#include "bench/selection.h"
#include "bench/text.h"

namespace rdmasync::bench {
namespace {

/// Experiments that compare methods, one for each network, then those with other data.
constexpr std::array kByNetwork{"router", "direct", "wire", "original"};
constexpr std::array kByMethod{"original", "small", "clients", "direct", "router", "wire"};

double total_ms(const Outcome& outcome) {
  return outcome.total_ms;
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

std::string time_cell(const Selection& runs, const Figure& figure = total_ms) {
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
                    (dataset == nullptr ? "" : "<br>" + describe(*dataset)));
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

/// Bytes a second of whole syncs, as shares of raw reads of the same bytes.
Spread share_of_reads(const Selection& runs, const std::vector<const RawLine*>& reads) {
  std::vector<double> shares;
  for (const Run* run : runs) {
    const double megabytes =
        static_cast<double>(run->dataset.large_count * run->dataset.large_bytes) / 1e6;
    for (const RawLine* line : reads) {
      if (run->round == line->round) {
        shares.push_back(megabytes / (run->outcome.total_ms / 1000) / line->mb_per_s);
      }
    }
  }
  return spread_of(std::move(shares));
}

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
    for (const std::string& method : methods_in(all, experiment)) {
      if (method != ours.front()->method) {
        const Spread ratios = ratio(select(all, experiment, method), ours, total_ms);
        text += row({where,
                     fmt::format("{}: time, to that of {}", find_method(method).title, reference),
                     number_cell(ratios, 2), std::to_string(ours.size())});
      }
    }
    const auto reads = select_raw(all, experiment, "reads, " + fabric);
    if (!reads.empty()) {
      text += row({where,
                   fmt::format("{}: bytes a second, to those of raw reads of the same", reference),
                   number_cell(share_of_reads(ours, reads), 2), std::to_string(ours.size())});
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
           time_text(spread(runs, [](const Outcome& run) { return run.not_serving_ms; }).median),
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
               "seconds are those of the main thread, of the other threads, and of children.\n\n" +
                   head({"Experiment", "Method", "Forks", "Master's extra memory",
                         "Replica's extra memory", "Replica does not serve", "Master's CPU s",
                         "Replica's CPU s", "Replica's page faults, thousands"}) +
                   text + "\n";
}

std::string replicas_table(const std::vector<Results>& all) {
  const std::string experiment = "replicas";
  std::vector<std::string> heads{"Replicas"};
  const auto methods = methods_in(all, experiment);
  for (const std::string& method : methods) {
    heads.push_back(find_method(method).title + "<br>time");
    heads.emplace_back("master's CPU s: main thread / threads / children");
  }
  std::string text = head(heads);
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
  return text + "\n";
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
      "as if it were on a machine of its own.\n\n",
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

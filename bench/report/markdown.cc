#include "bench/report/markdown.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

#include "bench/report/markdown_tables.h"
#include "bench/text.h"

namespace rdmasync::bench {
namespace {

/// A row a machine, though there may be several files of results of one.
std::string machines(const std::vector<Results>& all) {
  std::vector<std::pair<std::string, std::set<std::string>>> rows;
  for (const Results& results : all) {
    const Machine& machine = results.machine;
    const std::string row = fmt::format("| {} | {} | {} | {} | {} |", machine.cpu, machine.cores,
                                        bytes_text(machine.memory), machine.kernel, machine.redis);
    auto found = std::find_if(rows.begin(), rows.end(),
                              [&](const auto& other) { return other.first == row; });
    if (found == rows.end()) {
      found = rows.insert(found, {row, {}});
    }
    for (const Run& run : results.runs) {
      found->second.insert(run.experiment);
    }
  }
  std::string text =
      "| CPU | Cores | Memory | Kernel | Redis | Experiments |\n|---|---|---|---|---|---|\n";
  for (const auto& [row, experiments] : rows) {
    text += fmt::format("{} {} |\n", row, fmt::join(experiments, ", "));
  }
  return text + "\n";
}

constexpr const char* kHow =
    "Written by `scripts/bench`. A time is by the wall clock, from the command to the moment when "
    "every replica serves the whole dataset and, but for GET and SET, follows the master itself; "
    "every sync was followed by a comparison of `DEBUG DIGEST`. Figures are medians, with the "
    "least and the most in brackets. The methods took turns, each round beginning with another, "
    "with new servers and the same data each. Just before each sync, as much free memory as it "
    "needs was touched and given back: on a virtual machine, the first touch of memory that its "
    "host had taken back is several times as slow.\n\n";

constexpr const char* kOriginal =
    "The last column is what the experiment that started this measured: a student project on "
    "40 Gb/s InfiniBand, with 937 MB in 256 values of about 4 MiB. It is there for reference; the "
    "machines have nothing in common. The Soft-RoCE link is in an emulated machine, far slower "
    "than its host: compare it with nothing but itself.\n\n";

}  // namespace

void write_markdown(const std::vector<Results>& all, const std::filesystem::path& file) {
  std::ofstream stream(file);
  stream << "# Results\n\n" << kHow << machines(all);
  stream << "## 256 values of 4 MiB\n\n" << methods_table(all);
  stream << kOriginal << "![Times by method and network](times.png)\n\n";
  stream << ratios_table(all) << parts_list(all) << costs_table(all);
  stream << "## Several replicas\n\n"
         << replicas_tables(all) << "![Time by replicas](replicas.png)\n\n"
         << "![The master's CPU time by replicas](cpu.png)\n\n";
  stream << "## What clients feel\n\n" << clients_table(all);
  stream << "![Latency during a sync](latency.png)\n\n";
  stream << "## One large value\n\n" << stalls_table(all);
  stream << "## Beside other servers\n\n" << peers_table(all);
  stream << "## Raw lines\n\n" << raw_table(all);
  stream << "## Configurations\n\n" << configurations();
  stream.close();
  if (!stream) {
    throw std::runtime_error("cannot write " + file.string());
  }
}

}  // namespace rdmasync::bench

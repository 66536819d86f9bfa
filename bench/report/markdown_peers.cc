// What rdmasync is beside the full syncs of other servers.

#include <map>
#include <string>
#include <utility>

#include "bench/measure/method.h"
#include "bench/report/markdown_cells.h"
#include "bench/report/markdown_tables.h"
#include "bench/report/selection.h"

namespace rdmasync::bench {
namespace {

/// The other best is compared with where the server has one, and is faster by it.
Selection best_of(const std::vector<Selection>& native) {
  Selection best;
  for (const Selection& runs : native) {
    if (!runs.empty() &&
        (best.empty() || spread(runs, total_ms).median < spread(best, total_ms).median)) {
      best = runs;
    }
  }
  return best;
}

}  // namespace

std::string peers_table(const std::vector<Results>& all) {
  // By dataset and server.
  std::map<std::pair<std::string, std::string>, const Run*> experiments;
  for (const Results& results : all) {
    for (const Run& run : results.runs) {
      if (run.experiment.starts_with(kPeers)) {
        experiments.try_emplace({run.dataset.name, run.server}, &run);
      }
    }
  }
  if (experiments.empty()) {
    return "";
  }
  std::string text =
      "Whole syncs; each server's own is diskless at both ends, without delay, compression and "
      "checksum, and the second channel is what newer ones have besides. The last column is the "
      "time of the fastest of these, divided by that of rdmasync in the same server, round by "
      "round.\n\n" +
      head({"", "server", "native, best", "with a second channel", "rdmasync, cma",
            "native by rdmasync"});
  for (const auto& [order, first] : experiments) {
    const auto runs_of = [&, experiment = first->experiment](const char* method) {
      return select(all, experiment, method);
    };
    const Selection plain = runs_of("slaveof-diskless-best");
    Selection second = runs_of("slaveof-rdb-channel");
    if (second.empty()) {
      second = runs_of("slaveof-dual-channel");
    }
    const Selection ours = runs_of("rdmasync-cma");
    text += row({describe(first->dataset), order.second, time_cell(plain), time_cell(second),
                 time_cell(ours), number_cell(ratio(best_of({plain, second}), ours, total_ms), 2)});
  }
  return text + "\n";
}

}  // namespace rdmasync::bench

#pragma once

#include <string>
#include <vector>

#include "bench/measure/outcome.h"

namespace rdmasync::bench {

/// All runs of one way to sync.
struct Column {
  std::string title;
  std::vector<Outcome> outcomes;
};

/// The table of all ways, medians if there were several runs. True if every digest was equal.
bool print_summary(const std::vector<Column>& columns);

}  // namespace rdmasync::bench

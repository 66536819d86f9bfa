#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/measure/dataset.h"

namespace rdmasync::bench {

/// Methods and raw lines that are measured in turn, round by round, on one network with one
/// dataset.
struct Experiment {
  std::string name;
  std::string group = {};  ///< of those that are asked for together; empty if it is one by itself
  std::string network;
  std::string server = {};  ///< of scripts/servers; empty: the one that is given
  Dataset dataset;
  std::vector<std::string> methods;
  std::vector<std::uint64_t> replicas{1};
  std::uint64_t request_rate = 0;
  std::uint64_t large_write_rate = 0;
  std::vector<std::string> raw;
  std::uint64_t rounds = 3;
};

/// All of them, or the same in little: less data, and one round.
std::vector<Experiment> plan(bool quick);

}  // namespace rdmasync::bench

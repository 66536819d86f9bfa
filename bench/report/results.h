#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "bench/measure/dataset.h"
#include "bench/measure/machine.h"
#include "bench/measure/outcome.h"

namespace rdmasync::bench {

/// One sync of an experiment.
struct Run {
  std::string experiment;
  std::string network;
  std::string server = {};  ///< and its version; empty: that of the machine
  std::string method;
  Dataset dataset;
  std::uint64_t replicas = 1;
  std::uint64_t round = 0;
  Outcome outcome;
};

/// How the name of an experiment ends whose large value is written during the sync.
inline constexpr const char* kHot = "-hot";

/// How the name of an experiment begins that is one server's part of a comparison of servers.
inline constexpr const char* kPeers = "peers-";

/// What a line gives without Redis: a disk, a network, a fabric, memory.
struct RawLine {
  std::string experiment;
  std::string network;
  std::string name;
  std::uint64_t round = 0;
  double mb_per_s = 0;  ///< 10^6 bytes
};

/// Of one machine.
struct Results {
  Machine machine;
  std::vector<Run> runs;
  std::vector<RawLine> raw;
};

/// Empty ones if there is no such file.
Results load_results(const std::filesystem::path& file);
void save_results(const Results& results, const std::filesystem::path& file);

}  // namespace rdmasync::bench

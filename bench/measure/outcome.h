#pragma once

#include <string>
#include <vector>

#include "bench/measure/cpu.h"

namespace rdmasync::bench {

/// A stretch of a sync.
struct Part {
  std::string name;
  double ms = 0;
};

/// What clients saw in a stretch of time, in milliseconds from when a request was due.
struct Latency {
  double p50 = 0;
  double p99 = 0;
  double p999 = 0;
  double most = 0;
  double offered = 0;  ///< requests a second
  double served = 0;   ///< answered a second
};

/// The same in a short slot of time; `at_ms` counts from the start of the sync.
struct LatencySlot {
  double at_ms = 0;
  double p99 = 0;
  double most = 0;
};

/// What one sync was like. -1 where there is no such figure.
struct Outcome {
  double total_ms = 0;  ///< until the last replica was done
  std::vector<Part> parts;
  bool equal = false;
  double forks = 0;
  double slice_max_us = -1;
  double cut_max_us = -1;
  double rounds = -1;
  double values_in_place = -1;  ///< read where the master has them
  double values_in_ring = -1;
  double ring_bytes = -1;
  double master_growth = 0;   ///< bytes beyond the dataset, at the peak, with the fork's copies
  double replica_growth = 0;  ///< of the first replica
  CpuTime master_cpu;
  CpuTime replica_cpu;         ///< of all replicas
  double replica_faults = 0;   ///< page faults of all replicas
  double not_serving_ms = -1;  ///< of the first replica
  double stolen_ms = 0;  ///< of CPU time, by the host of this virtual machine, as far as known
  double writes = 0;
  double longest_wait_ms = 0;
  std::string fabric;
  Latency idle;
  Latency during;
  std::vector<LatencySlot> latencies;
};

}  // namespace rdmasync::bench

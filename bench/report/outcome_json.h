#pragma once

#include <nlohmann/json.hpp>

#include "bench/measure/cpu.h"
#include "bench/measure/dataset.h"
#include "bench/measure/machine.h"
#include "bench/measure/outcome.h"

namespace rdmasync::bench {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(CpuTime, main, threads, children)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Part, name, ms)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Latency, p50, p99, p999, most, offered, served)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(LatencySlot, at_ms, p99, most)
// With defaults, for results from before a figure was there.
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Outcome, total_ms, parts, equal, forks,
                                                slice_max_us, cut_max_us, rounds, values_in_place,
                                                values_in_ring, ring_bytes, master_growth,
                                                replica_growth, master_cpu, replica_cpu,
                                                replica_faults, not_serving_ms, stolen_ms, writes,
                                                longest_wait_ms, fabric, idle, during, latencies)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Dataset, name, large_count, large_bytes,
                                                small_count, small_bytes, collection, collections,
                                                elements, all_types, compressible)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Machine, cpu, cores, memory, kernel, redis)

}  // namespace rdmasync::bench

#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

#include "bench/measure/dataset.h"
#include "bench/measure/method.h"
#include "bench/measure/network.h"
#include "bench/measure/outcome.h"
#include "bench/support.h"

namespace rdmasync::bench {

/// What is synced, to how many, and what goes on meanwhile.
struct Scenario {
  Dataset dataset;
  std::uint64_t replicas = 1;
  bool serving = false;                ///< the replicas have a dataset like it, and serve that
  std::uint64_t write_rate = 0;        ///< commands a second of every kind of write
  std::uint64_t large_write_rate = 0;  ///< of them into large values
  std::uint64_t request_rate = 0;      ///< GETs and SETs a second whose latency is measured
  std::uint64_t idle_seconds = 3;      ///< of these requests before the sync
};

struct Programs {
  std::string redis_server = "redis-server";
  std::filesystem::path module = build_directory() / "rdmasync.so";
  std::chrono::seconds timeout{300};  ///< of a sync
};

/// One sync, with a new master filled anew and empty replicas, all gone afterwards.
Outcome run_sync(const Method& method, const Scenario& scenario, const Network& network,
                 const Programs& programs);

}  // namespace rdmasync::bench

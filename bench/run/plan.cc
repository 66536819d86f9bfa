#include "bench/run/plan.h"

#include <fmt/format.h>

#include <utility>

#include "bench/measure/raw.h"
#include "bench/report/results.h"

namespace rdmasync::bench {
namespace {

Dataset large_values(std::uint64_t count) {
  Dataset dataset = named_dataset("original");
  dataset.large_count = count;
  return dataset;
}

Dataset small_keys(std::uint64_t count) {
  Dataset dataset = named_dataset("small");
  dataset.small_count = count;
  return dataset;
}

Dataset mixed(std::uint64_t large, std::uint64_t small) {
  Dataset dataset = named_dataset("mixed");
  dataset.large_count = large;
  dataset.small_count = small;
  return dataset;
}

/// What clients feel while one large value is copied, cold and written.
void add_stalls(std::vector<Experiment>& experiments, bool quick) {
  constexpr std::uint64_t kMany = 1'000'000;
  using Sizes = std::vector<std::uint64_t>;
  std::vector<std::pair<std::string, Dataset>> datasets;
  for (const char* kind : {"hash", "set", "zset", "list", "stream"}) {
    for (const std::uint64_t elements :
         quick ? Sizes{100'000} : Sizes{100'000, kMany, 10 * kMany}) {
      Dataset dataset = named_dataset(kind);
      dataset.elements = elements;
      datasets.emplace_back(fmt::format("{}-{}", kind, elements), dataset);
    }
  }
  for (const std::uint64_t mib : quick ? Sizes{16} : Sizes{16, 64, 256, 512}) {
    Dataset dataset = large_values(1);
    dataset.large_bytes = mib << 20U;
    datasets.emplace_back(fmt::format("string-{}", mib), dataset);
  }
  for (const auto& [name, dataset] : datasets) {
    for (const bool hot : {false, true}) {
      experiments.push_back(
          {.name = fmt::format("stall-{}{}", name, hot ? kHot : ""),
           .group = "stall",
           .network = "loopback",
           .dataset = dataset,
           .methods = {"slaveof-diskless", "slaveof-diskless-best", "rdmasync-cma"},
           .request_rate = 2000,
           .large_write_rate = hot ? 1000U : 0U,
           .raw = {},
           .rounds = quick || dataset.elements > kMany ? 1U : 3U});
    }
  }
}

/// Each server's own full sync at its best, and the module in it.
void add_peers(std::vector<Experiment>& experiments, bool quick) {
  struct Peer {
    const char* server;
    std::vector<std::string> methods;
  };
  const std::vector<Peer> peers{
      {"bookworm-redis", {"slaveof-diskless-best", "rdmasync-cma"}},
      {"forky-redis", {"slaveof-diskless-best", "slaveof-rdb-channel", "rdmasync-cma"}},
      {"forky-valkey", {"slaveof-diskless-best", "slaveof-dual-channel", "rdmasync-cma"}}};
  constexpr std::uint64_t kQuickly = 20;
  for (const char* name : {"original", "small", "1kb", "128kb", "hashes", "zsets"}) {
    Dataset dataset = named_dataset(name);
    if (quick) {
      dataset.large_count /= kQuickly;
      dataset.small_count /= kQuickly;
      dataset.collections /= kQuickly;
    }
    for (const Peer& peer : peers) {
      experiments.push_back({.name = fmt::format("{}{}-{}", kPeers, name, peer.server),
                             .group = "peers",
                             .network = "loopback",
                             .server = peer.server,
                             .dataset = dataset,
                             .methods = peer.methods,
                             .raw = {},
                             .rounds = quick ? 1U : 3U});
    }
  }
}

}  // namespace

std::vector<Experiment> plan(bool quick) {
  // Beside each other: what it is in little, and what it is.
  const auto of = [quick](std::uint64_t little, std::uint64_t whole) {
    return quick ? little : whole;
  };
  using Names = std::vector<std::string>;
  const auto methods = [quick](const Names& little, const Names& whole) {
    return quick ? little : whole;
  };
  const std::uint64_t rounds = of(1, 3);
  // Of what takes long: where a network sets the pace, and with many replicas.
  const std::uint64_t few_rounds = of(1, 2);
  std::vector<Experiment> experiments;
  experiments.push_back(
      {.name = "original",
       .network = "loopback",
       .dataset = large_values(of(64, 256)),
       .methods = {"slaveof-disk", "slaveof-diskless", "slaveof-diskless-best", "get-set",
                   "get-set-pipelined", "rdmasync-cma", "rdmasync-tcp"},
       .raw = raw_names("loopback"),
       .rounds = of(1, 5)});
  const Names by_tcp = methods({"slaveof-disk", "slaveof-diskless-best", "get-set", "rdmasync-tcp"},
                               {"slaveof-disk", "slaveof-diskless", "slaveof-diskless-best",
                                "get-set", "get-set-pipelined", "rdmasync-tcp"});
  experiments.push_back({.name = "direct",
                         .network = "direct",
                         .dataset = large_values(of(16, 256)),
                         .methods = by_tcp,
                         .raw = raw_names("direct"),
                         .rounds = few_rounds});
  // A tenth of the rate, a quarter of the data.
  experiments.push_back({.name = "router",
                         .network = "router",
                         .dataset = large_values(of(8, 64)),
                         .methods = by_tcp,
                         .raw = raw_names("router"),
                         .rounds = few_rounds});
  experiments.push_back(
      {.name = "wire",
       .network = "wire",
       .dataset = large_values(of(8, 64)),
       .methods = methods({"slaveof-diskless-best", "get-set", "rdmasync-verbs"},
                          {"slaveof-disk", "slaveof-diskless", "slaveof-diskless-best", "get-set",
                           "get-set-pipelined", "rdmasync-tcp", "rdmasync-verbs"}),
       .raw = methods({"TCP", "ib_read_bw", "reads, verbs"}, raw_names("wire")),
       .rounds = few_rounds});
  experiments.push_back(
      {.name = "replicas",
       .network = "loopback",
       .dataset = large_values(of(32, 256)),
       .methods = methods({"slaveof-diskless-best", "rdmasync-cma"},
                          {"slaveof-diskless", "slaveof-diskless-best", "rdmasync-cma"}),
       .replicas =
           quick ? std::vector<std::uint64_t>{1, 3} : std::vector<std::uint64_t>{1, 2, 3, 8},
       .raw = {},
       .rounds = few_rounds});
  experiments.push_back({.name = "replicas-small",
                         .network = "loopback",
                         .dataset = small_keys(of(100'000, 1'000'000)),
                         .methods = {"slaveof-diskless-best", "rdmasync-cma"},
                         .replicas = {1, 3},
                         .raw = {},
                         .rounds = rounds});
  experiments.push_back({.name = "clients",
                         .network = "loopback",
                         .dataset = mixed(of(32, 256), of(200'000, 1'000'000)),
                         .methods = {"slaveof-diskless", "slaveof-diskless-best", "rdmasync-cma"},
                         .request_rate = 5000,
                         .raw = {},
                         .rounds = rounds});
  experiments.push_back({.name = "small",
                         .network = "loopback",
                         .dataset = small_keys(of(300'000, 3'000'000)),
                         .methods = methods({"slaveof-diskless-best", "rdmasync-cma"},
                                            {"slaveof-disk", "slaveof-diskless",
                                             "slaveof-diskless-best", "rdmasync-cma"}),
                         .raw = {},
                         .rounds = rounds});
  add_stalls(experiments, quick);
  add_peers(experiments, quick);
  return experiments;
}

}  // namespace rdmasync::bench

#include "bench/runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/network.h"
#include "bench/raw.h"
#include "bench/results.h"
#include "bench/text.h"

namespace rdmasync::bench {
namespace {

/// One figure of a round: a method with so many replicas, or a raw line.
struct Turn {
  std::string method;
  std::uint64_t replicas = 0;
  std::string raw;
};

std::vector<Turn> turns_of(const Experiment& experiment) {
  std::vector<Turn> turns;
  for (const std::uint64_t replicas : experiment.replicas) {
    for (const std::string& method : experiment.methods) {
      turns.push_back({method, replicas, {}});
    }
  }
  for (const std::string& raw : experiment.raw) {
    turns.push_back({{}, 0, raw});
  }
  return turns;
}

std::uint64_t rounds_done(const Results& results, const std::string& experiment) {
  std::uint64_t rounds = 0;
  for (const Run& run : results.runs) {
    if (run.experiment == experiment) {
      rounds = std::max(rounds, run.round + 1);
    }
  }
  return rounds;
}

/// A stall of the host of this virtual machine would be taken for one of the servers.
bool is_disturbed(const Experiment& experiment, const Outcome& outcome) {
  constexpr double kShare = 0.005;
  return experiment.request_rate > 0 && outcome.stolen_ms > outcome.total_ms * kShare;
}

void measure_sync(const Experiment& experiment, const Turn& turn, std::uint64_t round,
                  const Network& network, const Programs& programs,
                  const std::filesystem::path& scratch, Results& results) {
  const Scenario scenario{.dataset = experiment.dataset,
                          .replicas = turn.replicas,
                          .request_rate = experiment.request_rate};
  constexpr int kAttempts = 5;
  Outcome outcome;
  for (int attempt = 1; attempt <= kAttempts; ++attempt) {
    outcome = run_sync(find_method(turn.method), scenario, network, programs, scratch);
    if (!is_disturbed(experiment, outcome)) {
      break;
    }
    fmt::print("  {:<10} {:>2}  {:<22} the host took {:.0f} ms: again\n", experiment.name,
               round + 1, turn.method, outcome.stolen_ms);
  }
  if (!outcome.equal) {
    throw std::runtime_error(turn.method + ": the replica differs from the master");
  }
  fmt::print("  {:<10} {:>2}  {:<22} x{}  {:>9}\n", experiment.name, round + 1, turn.method,
             turn.replicas, time_text(outcome.total_ms));
  results.runs.push_back({experiment.name, network.name(), turn.method, experiment.dataset,
                          turn.replicas, round, outcome});
}

void measure_line(const Experiment& experiment, const Turn& turn, std::uint64_t round,
                  const Network& network, const std::filesystem::path& scratch, Results& results) {
  const double mb_per_s =
      measure_raw(turn.raw, network, estimated_bytes(experiment.dataset), scratch);
  fmt::print("  {:<10} {:>2}  {:<22}     {:>6.0f} MB/s\n", experiment.name, round + 1, turn.raw,
             mb_per_s);
  results.raw.push_back({experiment.name, network.name(), turn.raw, round, mb_per_s});
}

}  // namespace

void run_experiment(const Experiment& experiment, const Programs& programs, bool added,
                    const std::filesystem::path& scratch, const std::filesystem::path& file) {
  const Network network(experiment.network);
  const std::vector<Turn> turns = turns_of(experiment);
  Results results = load_results(file);
  results.machine = describe_machine(programs.redis_server);
  if (!added) {
    const auto earlier = [&](const auto& figure) { return figure.experiment == experiment.name; };
    std::erase_if(results.runs, earlier);
    std::erase_if(results.raw, earlier);
  }
  const std::uint64_t first = rounds_done(results, experiment.name);
  const std::uint64_t most =
      *std::max_element(experiment.replicas.begin(), experiment.replicas.end());
  check_machine(estimated_bytes(experiment.dataset), most, true, scratch,
                [](double) { return std::string("Try --quick, or other experiments."); });
  // As in the demo, each round begins with another.
  for (std::uint64_t round = first; round < first + experiment.rounds; ++round) {
    for (std::size_t i = 0; i < turns.size(); ++i) {
      const Turn& turn = turns[(i + round) % turns.size()];
      if (turn.raw.empty()) {
        measure_sync(experiment, turn, round, network, programs, scratch, results);
      } else {
        measure_line(experiment, turn, round, network, scratch, results);
      }
      std::fflush(stdout);
      save_results(results, file);
    }
  }
}

}  // namespace rdmasync::bench

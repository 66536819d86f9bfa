#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <stdexcept>
#include <vector>

#include "bench/measure/dataset.h"
#include "bench/measure/machine.h"
#include "bench/measure/method.h"
#include "bench/measure/network.h"
#include "bench/measure/trial.h"
#include "bench/report/summary.h"
#include "bench/run/options.h"
#include "bench/support.h"
#include "bench/text.h"

namespace rdmasync::bench {
namespace {

constexpr int kDifferent = 1;
constexpr int kFailed = 2;
constexpr int kInterrupted = 130;

std::vector<Method> chosen_methods(const Options& options) {
  std::vector<Method> methods;
  if (options.rdmasync) {
    methods.push_back(
        find_method(options.fabric == "auto" ? "rdmasync" : "rdmasync-" + options.fabric));
  }
  if (options.native) {
    methods.push_back(find_method("slaveof-diskless"));
    methods.push_back(find_method("slaveof-diskless-best"));
  }
  if (methods.empty()) {
    throw std::runtime_error("nothing is left to do");
  }
  return methods;
}

void check_module(const Options& options) {
  if (options.rdmasync && !std::filesystem::exists(options.programs.module)) {
    throw std::runtime_error(options.programs.module.string() + " is not there: run scripts/build");
  }
}

int run(const Options& options) {
  const std::vector<Method> methods = chosen_methods(options);
  check_module(options);
  const Scratch scratch;
  const Dataset& dataset = options.scenario.dataset;
  if (!options.skip_checks) {
    check_machine(estimated_bytes(dataset), 1, options.native, scratch.path(), [&](double share) {
      const auto of = [share](std::uint64_t count) {
        return static_cast<std::uint64_t>(share * static_cast<double>(count));
      };
      return fmt::format("Try: --large-count {} --small-keys {}", of(dataset.large_count),
                         of(dataset.small_count));
    });
  }
  const Network network(options.network);
  fmt::print("{}: {} on the master; {} writes/s meanwhile\n", describe(dataset),
             bytes_text(estimated_bytes(dataset)), options.scenario.write_rate);

  std::vector<Column> columns;
  columns.reserve(methods.size());
  for (const Method& method : methods) {
    columns.push_back({method.title, {}});
  }
  // Taking turns, so that a slow moment of the machine hits all alike, each round beginning with
  // another, so that none always follows the same one.
  for (std::uint64_t round = 0; round < options.runs; ++round) {
    for (std::size_t turn = 0; turn < methods.size(); ++turn) {
      const std::size_t i = (round + turn) % methods.size();
      const Outcome outcome = run_sync(methods[i], options.scenario, network, options.programs);
      fmt::print("  {:<16}  {:>9}  digests {}{}\n", columns[i].title, time_text(outcome.total_ms),
                 outcome.equal ? "equal" : "DIFFERENT",
                 outcome.fabric.empty() ? "" : ", fabric " + outcome.fabric);
      std::fflush(stdout);
      columns[i].outcomes.push_back(outcome);
    }
  }
  return print_summary(columns) ? 0 : kDifferent;
}

}  // namespace
}  // namespace rdmasync::bench

int main(int argc, char** argv) {
  using namespace rdmasync::bench;
  int exit_code = 0;
  const auto options = parse_options(argc, argv, exit_code);
  if (!options) {
    return exit_code;
  }
  handle_interrupts();
  try {
    return run(*options);
  } catch (const std::exception& error) {
    if (interrupted()) {
      fmt::print(stderr, "interrupted\n");
      return kInterrupted;
    }
    fmt::print(stderr, "quickstart: {}\n", error.what());
    return kFailed;
  }
}

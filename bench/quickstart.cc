#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <stdexcept>
#include <vector>

#include "bench/dataset.h"
#include "bench/machine.h"
#include "bench/options.h"
#include "bench/process.h"
#include "bench/report.h"
#include "bench/server.h"
#include "bench/sync.h"

namespace rdmasync::bench {
namespace {

constexpr int kDifferent = 1;
constexpr int kFailed = 2;
constexpr int kInterrupted = 130;

std::vector<Method> chosen_methods(const Options& options) {
  std::vector<Method> methods;
  if (options.rdmasync) {
    methods.push_back(Method::kRdmasync);
  }
  if (options.native) {
    methods.insert(methods.end(), {Method::kNativeDefault, Method::kNativeBest});
  }
  if (methods.empty()) {
    throw std::runtime_error("nothing is left to do");
  }
  return methods;
}

void check_module(const Options& options) {
  if (options.rdmasync && !std::filesystem::exists(options.module)) {
    throw std::runtime_error(options.module.string() + " is not there: run scripts/build");
  }
}

int run(const Options& options) {
  const std::vector<Method> methods = chosen_methods(options);
  check_module(options);
  const Scratch scratch;
  if (!options.skip_checks) {
    check_machine(options, scratch.path());
  }
  fmt::print("{} values of {}, {} small keys{}: {} on the master; {} writes/s meanwhile\n",
             options.large_count, bytes_text(options.large_bytes), options.small_count,
             options.all_types ? ", some of every type" : "", bytes_text(estimated_bytes(options)),
             options.write_rate);

  std::vector<Column> columns;
  columns.reserve(methods.size());
  for (const Method method : methods) {
    columns.push_back({title_of(method), {}});
  }
  // Taking turns, so that a slow moment of the machine hits all alike, each round beginning with
  // another, so that none always follows the same one.
  for (std::uint64_t round = 0; round < options.runs; ++round) {
    for (std::size_t turn = 0; turn < methods.size(); ++turn) {
      const std::size_t i = (round + turn) % methods.size();
      const Outcome outcome = run_sync(methods[i], options, scratch.path());
      fmt::print("  {:<16}  {:>9}  digests {}{}\n", columns[i].title, time_text(outcome.total_ms),
                 outcome.equal ? "equal" : "DIFFERENT",
                 outcome.fabric.empty() ? "" : ", fabric " + outcome.fabric);
      std::fflush(stdout);
      columns[i].outcomes.push_back(outcome);
    }
  }
  return print_report(columns) ? 0 : kDifferent;
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

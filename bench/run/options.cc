#include "bench/run/options.h"

#include <CLI/CLI.hpp>
#include <chrono>

namespace rdmasync::bench {

std::optional<Options> parse_options(int argc, char** argv, int& exit_code) {
  Options options;
  options.scenario.write_rate = 10'000;
  options.scenario.large_write_rate = 5;
  Dataset& dataset = options.scenario.dataset;
  auto timeout_seconds = static_cast<std::uint64_t>(options.programs.timeout.count());
  bool only_large = false;
  bool no_native = false;
  bool no_rdmasync = false;

  CLI::App app{
      "Copies a live Redis master to a replica by rdmasync, then by Redis's own full sync, and "
      "compares times and digests. Every sync gets servers of its own, with the same data."};
  app.option_defaults()->always_capture_default();
  app.add_option("--large-count", dataset.large_count, "large string values");
  app.add_option("--large-size", dataset.large_bytes, "bytes of each, e.g. 4mb")
      ->transform(CLI::AsSizeValue(false))
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{512} << 20U));
  app.add_option("--small-keys", dataset.small_count, "small string values");
  app.add_option("--write-rate", options.scenario.write_rate,
                 "writes a second during the sync; 0: none");
  app.add_option("--large-write-rate", options.scenario.large_write_rate,
                 "of these, a few bytes in the middle of a large value");
  app.add_option("--runs", options.runs, "repeat, taking turns, and print medians")
      ->check(CLI::Range(1, 1000));
  app.add_option("--timeout", timeout_seconds, "give up a sync after so many seconds");
  app.add_option("--fabric", options.fabric, "how rdmasync reads the master's memory");
  app.add_option("--network", options.network, "where servers run and how they reach each other")
      ->check(CLI::IsMember(all_networks()));
  app.add_option("--module", options.programs.module, "the module to load");
  app.add_option("--redis-server", options.programs.redis_server, "the server to run");
  app.add_flag("--only-large", only_large, "the large values alone, and nobody writes");
  app.add_flag("--no-native", no_native, "leave out Redis's own full sync");
  app.add_flag("--no-rdmasync", no_rdmasync, "leave out rdmasync");
  app.add_flag("--skip-checks", options.skip_checks, "do not ask whether memory and disk suffice");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    exit_code = app.exit(error);
    return std::nullopt;
  }
  options.programs.timeout = std::chrono::seconds(timeout_seconds);
  options.native = !no_native;
  options.rdmasync = !no_rdmasync;
  if (only_large) {
    dataset.small_count = 0;
    dataset.all_types = false;
    options.scenario.write_rate = 0;
  }
  return options;
}

}  // namespace rdmasync::bench

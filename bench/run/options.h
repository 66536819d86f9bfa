#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bench/measure/trial.h"

namespace rdmasync::bench {

/// Of the demo.
struct Options {
  Scenario scenario;
  Programs programs;
  std::uint64_t runs = 1;
  bool rdmasync = true;
  bool native = true;
  bool skip_checks = false;
  std::string fabric = "auto";
  std::string network = "loopback";
};

/// Empty if the command line was a wrong one, or a request for help: then `exit_code` is set.
std::optional<Options> parse_options(int argc, char** argv, int& exit_code);

}  // namespace rdmasync::bench

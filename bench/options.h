#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace rdmasync::bench {

struct Options {
  std::uint64_t large_count = 256;
  std::uint64_t large_bytes = std::uint64_t{4} << 20U;
  std::uint64_t small_count = 1'000'000;
  std::uint64_t write_rate = 10'000;   ///< commands a second
  std::uint64_t large_write_rate = 5;  ///< of them into large values
  std::uint64_t runs = 1;
  std::uint64_t timeout_seconds = 300;
  bool all_types = true;
  bool rdmasync = true;
  bool native = true;
  bool skip_checks = false;
  std::string fabric = "auto";
  std::string address = "127.0.0.1";  ///< where the replica reaches the master
  std::string redis_server = "redis-server";
  std::filesystem::path module;
};

/// Empty if the command line was a wrong one, or a request for help: then `exit_code` is set.
std::optional<Options> parse_options(int argc, char** argv, int& exit_code);

}  // namespace rdmasync::bench

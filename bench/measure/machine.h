#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace rdmasync::bench {

/// What the figures were measured on.
struct Machine {
  std::string cpu;
  std::uint64_t cores = 0;
  std::uint64_t memory = 0;  ///< bytes
  std::string kernel;
  std::string redis;  ///< version
};

/// Such as "Valkey 9.1.2", of that program.
std::string name_and_version(const std::string& server);

Machine describe_machine(const std::string& redis_server);

/// What the replicas of a dataset and its transfer take, with the file that some write.
std::uint64_t transfer_memory(std::uint64_t dataset, std::uint64_t replicas);

/// Throws std::runtime_error if memory, or disk for `file`, do not suffice; `advice` says what to
/// try with that share of the dataset instead.
void check_machine(std::uint64_t dataset, std::uint64_t replicas, bool file,
                   const std::filesystem::path& scratch,
                   const std::function<std::string(double)>& advice);

}  // namespace rdmasync::bench

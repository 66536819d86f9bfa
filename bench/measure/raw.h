#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "bench/measure/network.h"

namespace rdmasync::bench {

/// The raw lines that there are on a network.
std::vector<std::string> raw_names(const std::string& network);

/// Measures one, moving about as many bytes as given, in 10^6 bytes a second. Disks are measured in
/// `scratch`.
double measure_raw(const std::string& name, const Network& network, std::uint64_t bytes,
                   const std::filesystem::path& scratch);

}  // namespace rdmasync::bench

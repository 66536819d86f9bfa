#pragma once

#include <cstdint>
#include <string>

#include "bench/options.h"

namespace rdmasync::bench {

std::string large_key(std::uint64_t number);
std::string small_key(std::uint64_t number);

/// Fills the server at a port: the same bytes for the same options.
void fill(int port, const Options& options);

/// What `fill` takes in a server's memory, roughly.
std::uint64_t estimated_bytes(const Options& options);

}  // namespace rdmasync::bench

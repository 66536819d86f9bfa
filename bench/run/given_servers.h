#pragma once

#include <chrono>
#include <string>

#include "bench/measure/dataset.h"
#include "bench/measure/method.h"

namespace rdmasync::bench {

struct Address {
  std::string host;
  int port = 0;
};

/// From "host:port"; throws std::runtime_error.
Address parse_address(const std::string& text);

/// Fills a running server, with progress.
void fill_given(const Address& server, const Dataset& dataset);

/// Syncs a running replica with a running master, as they are configured, and prints the time and
/// what the module tells of it.
void sync_given(const Method& method, const Address& master, const Address& replica,
                std::chrono::seconds timeout);

}  // namespace rdmasync::bench

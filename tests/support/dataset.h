#pragma once

#include <cstdint>
#include <string>

#include "tests/support/client.h"
#include "tests/support/server.h"

namespace rdmasync::test {

/// The same bytes for the same seed; does not compress.
std::string random_bytes(std::uint64_t seed, std::size_t length);

struct DatasetOptions {
  int small_keys = 2000;  ///< plain strings, spread over the databases
  int large_values = 4;   ///< raw strings of `large_bytes`
  std::size_t large_bytes = 4 << 20;
  bool testtype = true;     ///< the server has to have that module
  bool short_lived = true;  ///< some that expire while one looks
  bool functions = true;
};

/// Fills a server with every type in every encoding that it has, in several databases, with and
/// without expiry, with binary, empty and huge keys and values, and with functions.
void fill_dataset(Client& client, const DatasetOptions& options = {});
void fill_dataset(Server& server, const DatasetOptions& options = {});

/// Some of its keys live for less than a second: waits until the server has deleted them.
void wait_short_lived_gone(Server& server);

/// Makes a dataset that fill_dataset never makes: what a replica had before.
void fill_old_dataset(Server& server);
/// That dataset, whole.
bool has_old_dataset(Server& server);
/// Nothing is left of it.
bool has_lost_old_dataset(Server& server);

}  // namespace rdmasync::test

#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "bench/support.h"

namespace rdmasync::bench {

/// What a master holds: large strings, small strings, and some of every type.
struct Dataset {
  std::string name = "mixed";
  std::uint64_t large_count = 256;
  std::uint64_t large_bytes = std::uint64_t{4} << 20U;
  std::uint64_t small_count = 1'000'000;
  std::uint64_t small_bytes = 0;  ///< 0: texts and numbers of a few dozen bytes
  std::string collection;         ///< "hash", "set", "zset", "list" or "stream"
  std::uint64_t collections = 0;  ///< of these
  std::uint64_t elements = 0;     ///< of each
  bool all_types = true;          ///< and every encoding, as tests have them
  bool compressible = false;      ///< the large ones, to about a quarter
};

/// "original": 256 values of 4 MiB, as in the experiment that started this. "small": 3,000,000 keys
/// of 100 bytes. "1kb": 1,000,000 of 1 KiB. "128kb": 16,384 of 128 KiB, as in Redis's own benchmark
/// of full syncs. "hashes": 1,000,000 of 10 fields. "zsets": 10,000 of 1,000 members. "mixed": the
/// first, a million keys, and every type. "hash", "set", "zset", "list", "stream": one of a million
/// elements. "none". Throws std::runtime_error on others.
Dataset named_dataset(const std::string& name);

/// Such as "256 x 4.0 MiB, 1000000 small keys".
std::string describe(const Dataset& dataset);

/// "1" is the first.
std::string large_key(std::uint64_t index);
std::string small_key(std::uint64_t index);
/// Of all collections together.
std::uint64_t elements_in(const Dataset& dataset);
/// A command that puts the element of that number, of all collections, where it belongs, if it is
/// not there; into a stream, one that takes the place of its first.
test::Command put_element(const Dataset& dataset, std::uint64_t index, const std::string& value);

/// Fills a server: the same bytes for the same dataset. `connect` makes clients of it. `progress`
/// hears how many bytes are in it.
void fill(const std::function<Client()>& connect, const Dataset& dataset,
          const std::function<void(std::uint64_t)>& progress);

/// What `fill` takes in a server's memory, roughly.
std::uint64_t estimated_bytes(const Dataset& dataset);

}  // namespace rdmasync::bench

#include "bench/measure/dataset.h"

#include <fmt/format.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <future>
#include <random>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "bench/support.h"
#include "bench/text.h"
#include "tests/support/dataset.h"

namespace rdmasync::bench {
namespace {

using test::fill_dataset;
using test::random_bytes;

/// The tests' own, but what they have as numbers of keys, and what would be gone when it is
/// compared.
constexpr test::DatasetOptions kAllTypes{
    .small_keys = 0, .large_values = 0, .testtype = false, .short_lived = false};

/// A quarter of the bytes, four times each, in pieces that are short enough for Redis's compression
/// to see the repetition.
void make_compressible(std::string& bytes) {
  constexpr std::size_t kPiece = 64;
  for (std::size_t at = 0; at + 4 * kPiece <= bytes.size(); at += 4 * kPiece) {
    for (std::size_t copy = 1; copy < 4; ++copy) {
      std::memcpy(&bytes[at + copy * kPiece], &bytes[at], kPiece);
    }
  }
}

// Of its name, its value and what the server has beside them.
constexpr std::uint64_t kBytesOfElement = 120;

void fill_large(Client& client, const Dataset& dataset, std::atomic<std::uint64_t>& filled) {
  for (std::uint64_t i = 0; i < dataset.large_count; ++i) {
    throw_if_interrupted();
    std::string value = random_bytes(i, dataset.large_bytes);
    if (dataset.compressible) {
      make_compressible(value);
    }
    client.must("SET", large_key(i), value);
    filled += value.size();
  }
}

std::string small_value(std::uint64_t index, const Dataset& dataset, std::mt19937_64& random) {
  if (dataset.small_bytes > 0) {
    return random_bytes(index, dataset.small_bytes);
  }
  return index % 4 == 0 ? std::to_string(random() >> 20U)
                        : fmt::format("value {} of key {}", random(), index);
}

void fill_small(Client& client, const Dataset& dataset, std::atomic<std::uint64_t>& filled) {
  constexpr std::uint64_t kBatch = 1000;
  constexpr std::uint64_t kSeed = 20;
  std::mt19937_64 random(kSeed);
  std::uint64_t pending = 0;
  for (std::uint64_t i = 0; i < dataset.small_count; ++i) {
    const std::string value = small_value(i, dataset, random);
    client.append({"SET", small_key(i), value});
    filled += value.size();
    if (++pending == kBatch) {
      throw_if_interrupted();
      client.drain(pending);
      pending = 0;
    }
  }
  client.drain(pending);
}

void fill_collection(Client& client, const Dataset& dataset, std::atomic<std::uint64_t>& filled) {
  constexpr std::uint64_t kBatch = 1000;
  for (std::uint64_t i = 0; i < elements_in(dataset);) {
    throw_if_interrupted();
    std::uint64_t pending = 0;
    for (; pending < kBatch && i < elements_in(dataset); ++i, ++pending) {
      client.send(put_element(dataset, i, fmt::format("{:020}", i)));
      filled += kBytesOfElement;
    }
    client.drain(pending);
  }
}

}  // namespace

std::uint64_t elements_in(const Dataset& dataset) {
  return dataset.collections * dataset.elements;
}

test::Command put_element(const Dataset& dataset, std::uint64_t index, const std::string& value) {
  const std::string key = fmt::format("collection:{}", index / dataset.elements);
  const std::string name = fmt::format("element:{}", index % dataset.elements);
  if (dataset.collection == "hash") {
    return {"HSET", key, name, value};
  }
  if (dataset.collection == "set") {
    return {"SADD", key, name};
  }
  if (dataset.collection == "zset") {
    return {"ZADD", key, value, name};
  }
  if (dataset.collection == "stream") {
    return {"XADD", key, "MAXLEN", "~", std::to_string(dataset.elements), "*", "field", value};
  }
  return {"RPUSH", key, value};
}

Dataset named_dataset(const std::string& name) {
  constexpr std::uint64_t kSmallCount = 3'000'000;
  constexpr std::uint64_t kSmallBytes = 100;
  constexpr std::uint64_t kMillion = 1'000'000;
  constexpr std::uint64_t kKiB = 1024;
  Dataset dataset;
  dataset.name = name;
  if (name == "mixed") {
    return dataset;
  }
  dataset.all_types = false;
  dataset.small_count = 0;
  if (name == "original") {
    return dataset;
  }
  if (name == "128kb") {
    dataset.large_count = 16 * kKiB;
    dataset.large_bytes = 128 * kKiB;
    return dataset;
  }
  dataset.large_count = 0;
  if (name == "small") {
    dataset.small_count = kSmallCount;
    dataset.small_bytes = kSmallBytes;
  } else if (name == "1kb") {
    dataset.small_count = kMillion;
    dataset.small_bytes = kKiB;
  } else if (name == "hashes") {
    dataset.collection = "hash";
    dataset.collections = kMillion;
    dataset.elements = 10;
  } else if (name == "zsets") {
    dataset.collection = "zset";
    dataset.collections = 10'000;
    dataset.elements = 1000;
  } else if (name == "hash" || name == "set" || name == "zset" || name == "list" ||
             name == "stream") {
    dataset.collection = name;
    dataset.collections = 1;
    dataset.elements = kMillion;
  } else if (name != "none") {
    throw std::runtime_error("there is no dataset " + name +
                             "; there are original small 1kb 128kb hashes zsets mixed hash set "
                             "zset list stream none");
  }
  return dataset;
}

std::string describe(const Dataset& dataset) {
  std::vector<std::string> parts;
  if (dataset.large_count > 0) {
    parts.push_back(
        fmt::format("{} value{} of {}{}", dataset.large_count, dataset.large_count == 1 ? "" : "s",
                    bytes_text(dataset.large_bytes), dataset.compressible ? ", compressible" : ""));
  }
  if (dataset.small_count > 0) {
    parts.push_back(fmt::format("{} small keys", dataset.small_count));
    if (dataset.small_bytes > 0) {
      parts.back() += fmt::format(" of {} bytes", dataset.small_bytes);
    }
  }
  if (dataset.elements > 0) {
    const std::string& kind = dataset.collection;
    const std::string these =
        dataset.collections == 1
            ? "a " + kind
            : fmt::format("{} {}{}", dataset.collections, kind, kind == "hash" ? "es" : "s");
    parts.push_back(fmt::format("{} of {} elements", these, dataset.elements));
  }
  if (dataset.all_types) {
    parts.emplace_back("some of every type");
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string large_key(std::uint64_t index) {
  return std::to_string(index + 1);
}
std::string small_key(std::uint64_t index) {
  return fmt::format("small:{}", index);
}

void fill(const std::function<Client()>& connect, const Dataset& dataset,
          const std::function<void(std::uint64_t)>& progress) {
  constexpr auto kShow = std::chrono::milliseconds(100);
  std::atomic<std::uint64_t> filled = 0;
  // Beside each other, to keep the server busy.
  std::array fillers{std::async(std::launch::async,
                                [&] {
                                  Client client = connect();
                                  fill_large(client, dataset, filled);
                                }),
                     std::async(std::launch::async, [&] {
                       Client client = connect();
                       fill_small(client, dataset, filled);
                       fill_collection(client, dataset, filled);
                       if (dataset.all_types) {
                         fill_dataset(client, kAllTypes);
                       }
                     })};
  for (auto& filler : fillers) {
    while (filler.wait_for(kShow) != std::future_status::ready) {
      progress(filled);
    }
  }
  for (auto& filler : fillers) {
    filler.get();
  }
}

std::uint64_t estimated_bytes(const Dataset& dataset) {
  constexpr std::uint64_t kServer = std::uint64_t{16} << 20U;
  constexpr std::uint64_t kSmallKey = 100;
  constexpr std::uint64_t kText = 40;
  const std::uint64_t value = dataset.small_bytes > 0 ? dataset.small_bytes : kText;
  return kServer + dataset.large_count * dataset.large_bytes +
         dataset.small_count * (kSmallKey + value) + elements_in(dataset) * kBytesOfElement;
}

}  // namespace rdmasync::bench

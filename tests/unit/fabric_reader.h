#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "rdma/fabric.h"
#include "tests/unit/fabric_owner_process.h"

// What the tests of the fabrics have in common at the reader's end.
namespace rdmasync::rdma {

using Clock = std::chrono::steady_clock;

// Generous: only a hang takes so long.
inline constexpr std::chrono::seconds kForEver{60};

inline constexpr std::size_t kMiB = std::size_t{1} << 20;
inline constexpr std::byte kCanary{0xA5};

/// A fabric to test; none if this machine cannot run it. RDMASYNC_TEST_FABRICS names, separated by
/// commas, those that must be there, and leaves out the others.
std::unique_ptr<Fabric> make_tested_fabric(std::string_view name);
std::string why_not_tested(std::string_view name);

/// Memory that nobody has touched yet, registered to read into.
class Sink {
 public:
  Sink(Fabric& fabric, std::size_t size);
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  ~Sink();

  std::byte* at(std::size_t offset) const { return bytes_.data() + offset; }
  const MemoryRegion* region() const { return region_.get(); }
  std::span<std::byte> bytes() const { return bytes_; }

 private:
  std::span<std::byte> bytes_;
  std::unique_ptr<MemoryRegion> region_;
};

using Outcomes = std::map<std::uint64_t, std::optional<Error>>;

/// Waits for `count` completions; fewer if it takes for ever.
Outcomes collect(Connection& connection, std::size_t count);

std::optional<Error> read_once(Connection& connection, const Read& read);

testing::AssertionResult fails_with(const std::optional<Error>& outcome, Errc code);
testing::AssertionResult succeeded(const std::optional<Error>& outcome);

/// Whether `bytes` are those at `offset` of a region with that seed.
testing::AssertionResult matches(std::span<const std::byte> bytes, std::uint64_t seed,
                                 std::size_t offset);

/// Some bytes of a region, and where in fresh memory they are to be.
struct Stretch {
  std::size_t from;
  std::size_t to;
  std::size_t length;
};

/// Whether a read brings them there, from a region with that seed, and writes nothing beside them.
testing::AssertionResult reads_exactly(Fabric& fabric, Connection& connection,
                                       const RemoteRegion& region, std::uint64_t seed,
                                       const Stretch& stretch);

}  // namespace rdmasync::rdma

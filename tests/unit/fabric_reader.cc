#include "tests/unit/fabric_reader.h"

#include <poll.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "tests/unit/fabric_pattern.h"

namespace rdmasync::rdma {
namespace {

const char* required_fabrics() {
  return std::getenv("RDMASYNC_TEST_FABRICS");
}

bool is_required(std::string_view name) {
  const std::string list = ',' + std::string(required_fabrics()) + ',';
  return list.find(',' + std::string(name) + ',') != std::string::npos;
}

std::byte* map(std::size_t size) {
  return static_cast<std::byte*>(
      mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

}  // namespace

std::unique_ptr<Fabric> make_tested_fabric(std::string_view name) {
  if (required_fabrics() != nullptr) {
    return is_required(name) ? make_fabric(name) : nullptr;
  }
  try {
    return make_fabric(name);
  } catch (const Error& error) {
    if (error.code() != Errc::kRefused) {
      throw;
    }
    return nullptr;
  }
}

std::string why_not_tested(std::string_view name) {
  try {
    make_fabric(name);
    return "not in RDMASYNC_TEST_FABRICS";
  } catch (const Error& error) {
    return error.what();
  }
}

Sink::Sink(Fabric& fabric, std::size_t size)
    : bytes_(map(size), size), region_(fabric.register_memory(bytes_, Access::kLocalWrite)) {}

Sink::~Sink() {
  region_.reset();
  munmap(bytes_.data(), bytes_.size());
}

Outcomes collect(Connection& connection, std::size_t count) {
  Outcomes outcomes;
  const auto deadline = Clock::now() + kForEver;
  while (outcomes.size() < count && Clock::now() < deadline) {
    pollfd ready{connection.fd(), POLLIN, 0};
    ::poll(&ready, 1, 1000);
    std::array<Completion, 16> some;
    const std::size_t wanted = std::min(some.size(), count - outcomes.size());
    const std::size_t got = connection.poll(std::span(some).first(wanted));
    for (std::size_t i = 0; i < got; ++i) {
      EXPECT_TRUE(outcomes.emplace(some[i].id, some[i].error).second) << "completed twice";
    }
  }
  EXPECT_EQ(outcomes.size(), count);
  return outcomes;
}

std::optional<Error> read_once(Connection& connection, const Read& read) {
  connection.post(read);
  return collect(connection, 1)[read.id];
}

testing::AssertionResult fails_with(const std::optional<Error>& outcome, Errc code) {
  if (!outcome) {
    return testing::AssertionFailure() << "the read succeeded";
  }
  if (outcome->code() != code) {
    return testing::AssertionFailure() << "it failed otherwise: " << outcome->what();
  }
  return testing::AssertionSuccess();
}

testing::AssertionResult succeeded(const std::optional<Error>& outcome) {
  return outcome ? testing::AssertionFailure() << outcome->what() : testing::AssertionSuccess();
}

testing::AssertionResult matches(std::span<const std::byte> bytes, std::uint64_t seed,
                                 std::size_t offset) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] != pattern_at(seed, offset + i)) {
      return testing::AssertionFailure() << "wrong byte at " << i << " of " << bytes.size();
    }
  }
  return testing::AssertionSuccess();
}

testing::AssertionResult reads_exactly(Fabric& fabric, Connection& connection,
                                       const RemoteRegion& region, std::uint64_t seed,
                                       const Stretch& stretch) {
  constexpr std::size_t kBehind = 64;
  const auto& [from, to, length] = stretch;
  const Sink sink(fabric, to + length + kBehind);
  std::fill(sink.bytes().begin(), sink.bytes().end(), kCanary);
  if (const auto error = read_once(connection, {.into = sink.at(to),
                                                .local = sink.region(),
                                                .remote = region.address + from,
                                                .rkeys = region.rkeys(),
                                                .length = length})) {
    return testing::AssertionFailure() << error->what();
  }
  const auto is_canary = [](std::byte byte) { return byte == kCanary; };
  if (!std::all_of(sink.at(0), sink.at(to), is_canary) ||
      !std::all_of(sink.at(to + length), sink.at(to + length) + kBehind, is_canary)) {
    return testing::AssertionFailure() << "something was written beside them";
  }
  return matches(sink.bytes().subspan(to, length), seed, from);
}

}  // namespace rdmasync::rdma

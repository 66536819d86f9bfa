#include "rdma/fabric.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "tests/unit/fabric_owner_process.h"
#include "tests/unit/fabric_pattern.h"
#include "tests/unit/fabric_reader.h"

// What every fabric promises, seen from a reader whose owner is another process.
namespace rdmasync::rdma {
namespace {

// Of this process, those that fabrics have started: a sanitizer has threads of its own.
std::set<id_t> fabric_threads() {
  std::set<id_t> threads;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::ifstream(entry.path() / "comm") >> name;
    if (name.starts_with("rdmasync-")) {
      threads.insert(static_cast<id_t>(std::stoul(entry.path().filename())));
    }
  }
  return threads;
}

class FabricTest : public testing::TestWithParam<std::string_view> {
 protected:
  void SetUp() override {
    fabric_ = make_tested_fabric(GetParam());
    if (!fabric_) {
      GTEST_SKIP() << why_not_tested(GetParam());
    }
    owner_ = std::make_unique<OwnerProcess>(GetParam());
    owner_->admit(token_);
  }

  std::unique_ptr<Connection> connect(int peer_timeout_ms = 30'000) {
    return connect_as(token_, peer_timeout_ms);
  }
  std::unique_ptr<Connection> connect_as(const Token& token, int peer_timeout_ms = 30'000) {
    return fabric_->connect({.host = "127.0.0.1",
                             .endpoint = owner_->endpoint(),
                             .token = token,
                             .peer_timeout_ms = peer_timeout_ms});
  }

  static Read whole(const Sink& sink, const RemoteRegion& from, std::uint64_t id = 0) {
    return {.id = id,
            .into = sink.at(0),
            .local = sink.region(),
            .remote = from.address,
            .rkeys = from.rkeys(),
            .length = sink.bytes().size()};
  }

  /// A MiB into a place of its own: two reads at once must not meet.
  static Read part(const Sink& sink, const RemoteRegion& from, std::uint64_t id) {
    return {.id = id,
            .into = sink.at(id * kMiB),
            .local = sink.region(),
            .remote = from.address,
            .rkeys = from.rkeys(),
            .length = kMiB};
  }

  std::unique_ptr<Fabric> fabric_;
  std::unique_ptr<OwnerProcess> owner_;
  Token token_ = random_token();
};

INSTANTIATE_TEST_SUITE_P(All, FabricTest, testing::ValuesIn(fabric_names()),
                         [](const auto& param) { return std::string(param.param); });

TEST_P(FabricTest, HasItsName) {
  EXPECT_EQ(fabric_->name(), GetParam());
}

TEST_P(FabricTest, ReadsEverySize) {
  const std::initializer_list<std::size_t> sizes = {
      1,      2,      7,      8,        63,   64,       4095,     4096,     4097,
      65'535, 65'536, 65'537, kMiB - 1, kMiB, kMiB + 1, 5 * kMiB, 64 * kMiB};
  const RemoteRegion region = owner_->add_region(64 * kMiB, 1);
  const auto connection = connect();
  for (const std::size_t size : sizes) {
    const Sink sink(*fabric_, size);
    ASSERT_TRUE(succeeded(read_once(*connection, whole(sink, region)))) << size;
    ASSERT_TRUE(matches(sink.bytes(), 1, 0)) << size;
  }
}

TEST_P(FabricTest, ReadsUnalignedAndWritesNothingElse) {
  const RemoteRegion region = owner_->add_region(4 * kMiB, 2);
  const auto connection = connect();
  for (const std::size_t length : {1UL, 13UL, 4097UL, 65'543UL, 2 * kMiB + 5}) {
    for (const std::size_t from : {0UL, 1UL, 4093UL}) {
      for (const std::size_t to : {1UL, 7UL, 4095UL}) {
        ASSERT_TRUE(reads_exactly(*fabric_, *connection, region, 2, {from, to, length}));
      }
    }
  }
}

TEST_P(FabricTest, ReadsManyAtOnce) {
  constexpr std::size_t kSlot = 300'007;
  const RemoteRegion region = owner_->add_region(128 * kSlot, 3);
  const auto connection = connect();
  for (const std::size_t count : {1UL, 2UL, 16UL, 64UL, 128UL}) {
    const Sink sink(*fabric_, count * kSlot);
    for (std::size_t i = 0; i < count; ++i) {
      connection->post({.id = i,
                        .into = sink.at(i * kSlot),
                        .local = sink.region(),
                        .remote = region.address + i * kSlot,
                        .rkeys = region.rkeys(),
                        .length = i % 3 == 0 ? 64 : kSlot});
    }
    const Outcomes outcomes = collect(*connection, count);
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_TRUE(succeeded(outcomes.at(i)));
      ASSERT_TRUE(matches(sink.bytes().subspan(i * kSlot, i % 3 == 0 ? 64 : kSlot), 3, i * kSlot));
    }
  }
}

TEST_P(FabricTest, QueuesMoreThanItsDepth) {
  const RemoteRegion region = owner_->add_region(4096, 4);
  const auto connection = connect();
  constexpr std::size_t kCount = 5000;
  const Sink sink(*fabric_, kCount * 100);
  for (std::size_t i = 0; i < kCount; ++i) {
    connection->post({.id = i,
                      .into = sink.at(i * 100),
                      .local = sink.region(),
                      .remote = region.address + i % 1000,
                      .rkeys = region.rkeys(),
                      .length = 100});
  }
  for (const auto& [id, outcome] : collect(*connection, kCount)) {
    ASSERT_TRUE(succeeded(outcome));
    ASSERT_TRUE(matches(sink.bytes().subspan(id * 100, 100), 4, id % 1000));
  }
}

TEST_P(FabricTest, ReadsNothingWithoutAsking) {
  const auto connection = connect();
  EXPECT_TRUE(succeeded(read_once(*connection, {.id = 9})));
}

TEST_P(FabricTest, RefusesToReadIntoUnregisteredMemory) {
  const RemoteRegion region = owner_->add_region(4096, 5);
  const auto connection = connect();
  const Sink sink(*fabric_, 4096);
  Read read = whole(sink, region);
  read.into += 1;
  EXPECT_TRUE(fails_with(read_once(*connection, read), Errc::kUsage));
}

TEST_P(FabricTest, RefusesWrongKeys) {
  const RemoteRegion region = owner_->add_region(kMiB, 6);
  const auto connection = connect();
  const Sink sink(*fabric_, kMiB);
  for (const std::uint32_t wrong : {1U, 0x40000U, 0xFFFFFFFFU, region.rkey}) {
    Read read = whole(sink, region);
    read.rkeys.first ^= wrong;
    EXPECT_TRUE(fails_with(read_once(*connection, read), Errc::kAccess));
    read.length = 8;
    EXPECT_TRUE(fails_with(read_once(*connection, read), Errc::kAccess));
  }
  EXPECT_TRUE(succeeded(read_once(*connection, whole(sink, region))));
}

TEST_P(FabricTest, RefusesWhatIsOutOfBounds) {
  constexpr std::size_t kSize = kMiB / 4;
  // A neighbour on either side, so that the memory there exists.
  const auto regions = owner_->add_many(3, kSize);
  const auto& middle = regions[1];
  const auto connection = connect();
  const Sink sink(*fabric_, kSize);
  const auto read_at = [&](std::uint64_t address, std::size_t length) {
    Read read = whole(sink, middle);
    read.remote = address;
    read.length = length;
    return read_once(*connection, read);
  };
  for (const std::size_t length : {std::size_t{1}, std::size_t{64}, kSize}) {
    EXPECT_TRUE(fails_with(read_at(middle.address - 1, length), Errc::kAccess));
    EXPECT_TRUE(fails_with(read_at(middle.address - length, length), Errc::kAccess));
    EXPECT_TRUE(fails_with(read_at(middle.address + kSize, length), Errc::kAccess));
    EXPECT_TRUE(fails_with(read_at(middle.address + kSize - length + 1, length), Errc::kAccess));
    EXPECT_TRUE(fails_with(read_at(~std::uint64_t{0} - length / 2, length), Errc::kAccess));
    EXPECT_TRUE(fails_with(read_at(0, length), Errc::kAccess));
    EXPECT_TRUE(succeeded(read_at(middle.address + kSize - length, length)));
  }
}

TEST_P(FabricTest, RefusesWhatIsDeregistered) {
  const RemoteRegion gone = owner_->add_region(kMiB, 7);
  const RemoteRegion kept = owner_->add_region(kMiB, 8);
  const auto connection = connect();
  const Sink sink(*fabric_, kMiB);
  EXPECT_TRUE(succeeded(read_once(*connection, whole(sink, gone))));
  owner_->deregister(gone);
  EXPECT_TRUE(fails_with(read_once(*connection, whole(sink, gone)), Errc::kAccess));
  EXPECT_TRUE(succeeded(read_once(*connection, whole(sink, kept))));
  EXPECT_TRUE(matches(sink.bytes(), 8, 0));
}

TEST_P(FabricTest, SurvivesUnmappedMemory) {
  const RemoteRegion gone = owner_->add_region(8 * kMiB, 9);
  const RemoteRegion kept = owner_->add_region(8 * kMiB, 10);
  auto connection = connect();
  const Sink first(*fabric_, 8 * kMiB);
  const Sink second(*fabric_, 8 * kMiB);
  owner_->unmap(gone);
  connection->post(whole(first, gone, 1));
  connection->post(whole(second, kept, 2));
  const Outcomes outcomes = collect(*connection, 2);
  if (GetParam() == "verbs") {
    // A device has pinned the pages: they outlive their mapping.
    EXPECT_TRUE(succeeded(outcomes.at(1)));
    EXPECT_TRUE(matches(first.bytes(), 9, 0));
  } else {
    EXPECT_TRUE(fails_with(outcomes.at(1), Errc::kAccess));
  }
  EXPECT_TRUE(succeeded(outcomes.at(2)));
  EXPECT_TRUE(matches(second.bytes(), 10, 0));
  EXPECT_TRUE(succeeded(read_once(*connect(), whole(second, kept))));
}

TEST_P(FabricTest, SurvivesMemoryUnmappedDuringReads) {
  constexpr std::size_t kCount = 16;
  std::vector<RemoteRegion> regions;
  for (std::size_t i = 0; i < kCount; ++i) {
    regions.push_back(owner_->add_region(4 * kMiB, i));
  }
  const auto connection = connect();
  const Sink sink(*fabric_, kCount * 4 * kMiB);
  for (std::size_t i = 0; i < kCount; ++i) {
    connection->post({.id = i,
                      .into = sink.at(i * 4 * kMiB),
                      .local = sink.region(),
                      .remote = regions[i].address,
                      .rkeys = regions[i].rkeys(),
                      .length = 4 * kMiB});
  }
  for (std::size_t i = 0; i < kCount; i += 2) {
    owner_->unmap(regions[i]);
  }
  for (const auto& [id, outcome] : collect(*connection, kCount)) {
    if (outcome) {
      EXPECT_TRUE(id % 2 == 0 && outcome->code() == Errc::kAccess) << outcome->what();
    } else {
      EXPECT_TRUE(matches(sink.bytes().subspan(id * 4 * kMiB, 4 * kMiB), id, 0));
    }
  }
}

TEST_P(FabricTest, SurvivesMemoryDeregisteredDuringReads) {
  constexpr std::size_t kCount = 32;
  std::vector<RemoteRegion> regions;
  for (std::size_t i = 0; i < kCount; ++i) {
    regions.push_back(owner_->add_region(2 * kMiB, i));
  }
  const auto connection = connect();
  const Sink sink(*fabric_, kCount * 2 * kMiB);
  for (std::size_t i = 0; i < kCount; ++i) {
    connection->post({.id = i,
                      .into = sink.at(i * 2 * kMiB),
                      .local = sink.region(),
                      .remote = regions[i].address,
                      .rkeys = regions[i].rkeys(),
                      .length = 2 * kMiB});
  }
  for (std::size_t i = 1; i < kCount; i += 2) {
    owner_->deregister(regions[i]);
  }
  for (const auto& [id, outcome] : collect(*connection, kCount)) {
    if (outcome) {
      EXPECT_TRUE(id % 2 == 1 && outcome->code() == Errc::kAccess) << id << outcome->what();
    } else {
      EXPECT_TRUE(matches(sink.bytes().subspan(id * 2 * kMiB, 2 * kMiB), id, 0));
    }
  }
}

TEST_P(FabricTest, RefusesAnUnknownToken) {
  try {
    connect_as(random_token());
    FAIL() << "connected";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::kRefused) << error.what();
  }
}

TEST_P(FabricTest, RevokingEndsTheSessionAndNoOther) {
  const RemoteRegion region = owner_->add_region(kMiB, 11);
  const Token other = random_token();
  owner_->admit(other);
  const auto revoked = connect();
  const auto kept = connect_as(other);
  const Sink sink(*fabric_, kMiB);
  EXPECT_TRUE(succeeded(read_once(*revoked, whole(sink, region))));
  owner_->revoke(token_);
  // The owner may still be at work on its end, but not for ever.
  const auto deadline = Clock::now() + kForEver;
  std::optional<Error> outcome;
  while (!outcome && Clock::now() < deadline) {
    outcome = read_once(*revoked, whole(sink, region));
  }
  EXPECT_TRUE(fails_with(outcome, Errc::kPeerLost));
  EXPECT_TRUE(fails_with(read_once(*revoked, whole(sink, region)), Errc::kPeerLost));
  EXPECT_TRUE(succeeded(read_once(*kept, whole(sink, region))));
  EXPECT_THROW(connect(), Error);
}

TEST_P(FabricTest, ADeadPeerFailsEveryRead) {
  const RemoteRegion region = owner_->add_region(kMiB, 12);
  const auto connection = connect();
  constexpr std::size_t kCount = 200;
  const Sink sink(*fabric_, kCount * kMiB);
  for (std::size_t i = 0; i < kCount; ++i) {
    connection->post(part(sink, region, i));
  }
  Outcomes outcomes = collect(*connection, 1);
  owner_->kill();
  outcomes.merge(collect(*connection, kCount - outcomes.size()));
  EXPECT_EQ(outcomes.size(), kCount);
  std::size_t lost = 0;
  for (const auto& [id, outcome] : outcomes) {
    if (outcome) {
      EXPECT_TRUE(fails_with(outcome, Errc::kPeerLost));
      ++lost;
    }
  }
  EXPECT_GT(lost, 0U);
  const Sink another(*fabric_, kMiB);
  EXPECT_TRUE(fails_with(read_once(*connection, whole(another, region)), Errc::kPeerLost));
}

TEST_P(FabricTest, AStoppedPeerDoesNotHangReads) {
  const RemoteRegion region = owner_->add_region(kMiB, 13);
  const auto connection = connect(300);
  const Sink sink(*fabric_, kMiB);
  EXPECT_TRUE(succeeded(read_once(*connection, whole(sink, region))));
  owner_->signal(SIGSTOP);
  const auto outcome = read_once(*connection, whole(sink, region));
  // Truly one-sided fabrics read on.
  if (outcome) {
    EXPECT_TRUE(fails_with(outcome, Errc::kPeerLost));
    EXPECT_TRUE(fails_with(read_once(*connection, whole(sink, region)), Errc::kPeerLost));
  } else {
    EXPECT_TRUE(matches(sink.bytes(), 13, 0));
  }
}

TEST_P(FabricTest, AnOwnersForkedChildDoesNotHideItsDeath) {
  const RemoteRegion region = owner_->add_region(kMiB, 14);
  const auto connection = connect();
  const Sink sink(*fabric_, kMiB);
  EXPECT_TRUE(succeeded(read_once(*connection, whole(sink, region))));
  const pid_t child = owner_->fork_child();
  EXPECT_TRUE(succeeded(read_once(*connection, whole(sink, region))));
  owner_->kill();
  const auto began = Clock::now();
  EXPECT_TRUE(fails_with(read_once(*connection, whole(sink, region)), Errc::kPeerLost));
  EXPECT_LT(Clock::now() - began, std::chrono::seconds(20)) << "only the timeout noticed";
  EXPECT_THROW(connect(2000), Error);
  ::kill(child, SIGKILL);
}

TEST_P(FabricTest, RegistersThousandsOfRegions) {
  constexpr std::size_t kCount = 10'000;
  const auto regions = owner_->add_many(kCount, 64);
  ASSERT_EQ(regions.size(), kCount);
  const auto connection = connect();
  const Sink sink(*fabric_, kCount);
  for (std::size_t i = 0; i < kCount; ++i) {
    connection->post({.id = i,
                      .into = sink.at(i),
                      .local = sink.region(),
                      .remote = regions[i].address,
                      .rkeys = regions[i].rkeys(),
                      .length = 1});
  }
  for (const auto& [id, outcome] : collect(*connection, kCount)) {
    ASSERT_TRUE(succeeded(outcome));
    ASSERT_EQ(*sink.at(id), pattern_at(id, 0));
  }
}

TEST_P(FabricTest, ServesSeveralReaders) {
  const RemoteRegion region = owner_->add_region(4 * kMiB, 15);
  std::array<std::jthread, 4> readers;
  for (std::jthread& reader : readers) {
    reader = std::jthread([&] {
      const auto connection = connect();
      const Sink sink(*fabric_, 4 * kMiB);
      for (int round = 0; round < 8; ++round) {
        std::fill(sink.bytes().begin(), sink.bytes().end(), std::byte{0});
        EXPECT_TRUE(succeeded(read_once(*connection, whole(sink, region))));
        EXPECT_TRUE(matches(sink.bytes(), 15, 0));
      }
    });
  }
}

TEST_P(FabricTest, ADestroyedConnectionWritesNothingMore) {
  const RemoteRegion region = owner_->add_region(16 * kMiB, 17);
  auto connection = connect();
  constexpr std::size_t kCount = 64;
  const Sink sink(*fabric_, kCount * kMiB);
  for (int round = 0; round < 5; ++round) {
    if (!connection) {
      connection = connect();
    }
    for (std::size_t i = 0; i < kCount; ++i) {
      connection->post(part(sink, region, i));
    }
    if (round > 0) {
      collect(*connection, 1);
    }
    connection.reset();
    std::fill(sink.bytes().begin(), sink.bytes().end(), kCanary);
    // What a left-over read would need, another one is given.
    const Sink other(*fabric_, 16 * kMiB);
    const auto later = connect();
    EXPECT_TRUE(succeeded(read_once(*later, whole(other, region))));
    EXPECT_TRUE(std::all_of(sink.bytes().begin(), sink.bytes().end(),
                            [](std::byte byte) { return byte == kCanary; }));
  }
}

TEST_P(FabricTest, ThreadsThatReadYieldToOthers) {
  ASSERT_TRUE(fabric_threads().empty());
  const auto connection = connect();
  const int own_nice = getpriority(PRIO_PROCESS, 0);
  const auto yields = [own_nice](id_t thread) {
    return getpriority(PRIO_PROCESS, thread) > own_nice;
  };
  const auto threads = fabric_threads();
  EXPECT_EQ(threads.empty(), GetParam() == "verbs");  // there the device reads
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  for (const id_t thread : threads) {
    // It does so itself, once it runs.
    while (!yields(thread) && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::yield();
    }
    EXPECT_TRUE(yields(thread));
  }
  EXPECT_EQ(getpriority(PRIO_PROCESS, 0), own_nice);
}

TEST_P(FabricTest, RefusesAnEndpointThatIsNone) {
  for (const char* text : {"", "nonsense", "1:2:3:4", ":", "127.0.0.1:x", "a:b:c:d:e"}) {
    EXPECT_THROW(fabric_->connect({.host = "127.0.0.1", .endpoint = text, .peer_timeout_ms = 1000}),
                 Error)
        << text;
  }
}

TEST_P(FabricTest, RefusesADeadOwner) {
  owner_->kill();
  try {
    connect(2000);
    FAIL() << "connected";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::kRefused) << error.what();
  }
}

TEST(FabricNames, AreKnown) {
  EXPECT_FALSE(fabric_names().empty());
  EXPECT_THROW(make_fabric("pigeon"), Error);
}

TEST(RandomToken, DiffersEachTime) {
  EXPECT_NE(random_token(), random_token());
}

}  // namespace
}  // namespace rdmasync::rdma

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <tuple>
#include <vector>

#include "rdma/endpoint.h"
#include "rdma/fabric.h"
#include "rdma/verbs/event_channel.h"
#include "rdma/verbs/hello.h"
#include "rdma/verbs/transfers.h"
#include "tests/unit/fabric_owner_process.h"
#include "tests/unit/fabric_reader.h"

// What holds for the verbs fabric alone.
namespace rdmasync::rdma {
namespace {

using verbs::Transfers;

std::vector<std::uint64_t> send_all(Transfers& transfers) {
  std::vector<std::uint64_t> numbers;
  while (transfers.waiting()) {
    numbers.push_back(transfers.send().number);
  }
  return numbers;
}

TEST(Transfers, CutsReadsIntoPiecesThatCoverThem) {
  Transfers transfers;
  auto* const into = reinterpret_cast<std::byte*>(0x1000);
  transfers.add({.id = 7, .into = into, .remote = 99, .rkeys = {5}, .length = 2 * kMiB + 3}, {6});
  std::size_t covered = 0;
  bool last = false;
  std::uint64_t number = 0;
  while (transfers.waiting()) {
    const auto [sent, piece] = transfers.send();
    EXPECT_FALSE(last);
    EXPECT_EQ(piece.into, into + covered);
    EXPECT_EQ(piece.remote, 99 + covered);
    EXPECT_EQ(piece.rkey, 5U);
    EXPECT_EQ(piece.lkey, 6U);
    covered += piece.length;
    last = piece.last;
    number = sent;
  }
  EXPECT_TRUE(last);
  EXPECT_EQ(covered, 2 * kMiB + 3);
  EXPECT_TRUE(transfers.arrived(number - 1).empty());
  EXPECT_EQ(transfers.arrived(number), std::vector<Transfers::ReadId>{7});
  EXPECT_TRUE(transfers.empty());
}

TEST(Transfers, CutsReadsWhereAPartEndsAtEitherSide) {
  Transfers transfers;
  auto* const into = reinterpret_cast<std::byte*>(0x100200);
  const std::array<std::uint32_t, 2> further_rkeys{21, 22};
  const std::array<std::uint32_t, 3> further_lkeys{11, 12, 13};
  transfers.add(
      {.id = 7,
       .into = into,
       .remote = 0x500100,
       .rkeys = {.first = 20, .further = further_rkeys, .part_size = 0x1000, .start = 0x500000},
       .length = 0x2800},
      {.first = 10, .further = further_lkeys, .part_size = 0x1000, .start = 0x100000});
  using Cut = std::tuple<std::uint64_t, std::uint32_t, std::uint32_t, std::uint32_t>;
  std::vector<Cut> cuts;
  while (transfers.waiting()) {
    const auto [number, piece] = transfers.send();
    EXPECT_EQ(piece.into - into, static_cast<std::ptrdiff_t>(piece.remote - 0x500100));
    cuts.emplace_back(piece.remote, piece.length, piece.rkey, piece.lkey);
    EXPECT_EQ(piece.last, !transfers.waiting());
  }
  EXPECT_EQ(cuts, (std::vector<Cut>{{0x500100, 0xE00, 20, 10},
                                    {0x500F00, 0x100, 20, 11},
                                    {0x501000, 0xF00, 21, 11},
                                    {0x501F00, 0x100, 21, 12},
                                    {0x502000, 0x900, 22, 12}}));
}

TEST(Transfers, SendsAgainWhatHasNotArrivedButTheReadAtFault) {
  Transfers transfers;
  for (std::uint64_t id = 0; id < 4; ++id) {
    transfers.add({.id = id, .length = 2 * kMiB}, {});
  }
  const auto sent = send_all(transfers);
  ASSERT_EQ(sent.size() % 4, 0U);
  const std::size_t each = sent.size() / 4;
  EXPECT_EQ(transfers.arrived(sent[each - 1]), std::vector<Transfers::ReadId>{0});
  EXPECT_EQ(transfers.rewind_without(sent[2 * each]), 2U);
  EXPECT_EQ(transfers.in_flight(), 0U);
  EXPECT_FALSE(transfers.is_in_flight(sent[2 * each]));

  const auto again = send_all(transfers);
  EXPECT_EQ(again.size(), 2 * each);
  EXPECT_GT(again.front(), sent.back());
  EXPECT_EQ(transfers.arrived(again.back()), (std::vector<Transfers::ReadId>{1, 3}));
  EXPECT_TRUE(transfers.empty());
}

TEST(Transfers, KnowsWhatIsLeft) {
  Transfers transfers;
  for (std::uint64_t id = 0; id < 3; ++id) {
    transfers.add({.id = id, .length = 1}, {});
  }
  transfers.send();
  EXPECT_EQ(transfers.clear(), (std::vector<Transfers::ReadId>{0, 1, 2}));
  EXPECT_TRUE(transfers.empty());
  EXPECT_FALSE(transfers.waiting());
  EXPECT_EQ(transfers.in_flight(), 0U);
}

class VerbsTest : public testing::Test {
 protected:
  void SetUp() override {
    fabric_ = make_tested_fabric("verbs");
    if (!fabric_) {
      GTEST_SKIP() << why_not_tested("verbs");
    }
    owner_ = std::make_unique<OwnerProcess>("verbs");
    owner_->admit(token_);
  }

  std::unique_ptr<Connection> connect(int peer_timeout_ms = 30'000) {
    return fabric_->connect({.host = "",
                             .endpoint = owner_->endpoint(),
                             .token = token_,
                             .peer_timeout_ms = peer_timeout_ms});
  }

  std::unique_ptr<Fabric> fabric_;
  std::unique_ptr<OwnerProcess> owner_;
  Token token_ = random_token();
};

TEST_F(VerbsTest, EveryThirdReadAtFaultHarmsNoOther) {
  constexpr std::size_t kCount = 60;
  constexpr std::size_t kSize = kMiB + 4096;
  const RemoteRegion region = owner_->add_region(kCount * kSize, 1);
  const auto connection = connect();
  const Sink sink(*fabric_, kCount * kSize);
  for (std::size_t i = 0; i < kCount; ++i) {
    connection->post({.id = i,
                      .into = sink.at(i * kSize),
                      .local = sink.region(),
                      .remote = region.address + i * kSize,
                      .rkeys = {i % 3 == 0 ? region.rkey ^ 1 : region.rkey},
                      .length = kSize});
  }
  for (const auto& [id, outcome] : collect(*connection, kCount)) {
    if (id % 3 == 0) {
      EXPECT_TRUE(fails_with(outcome, Errc::kAccess)) << id;
    } else {
      ASSERT_TRUE(succeeded(outcome)) << id;
      ASSERT_TRUE(matches(sink.bytes().subspan(id * kSize, kSize), 1, id * kSize));
    }
  }
}

TEST_F(VerbsTest, NothingIsWrittenForAReadThatFailed) {
  const RemoteRegion region = owner_->add_region(kMiB, 2);
  const auto connection = connect();
  const Sink sink(*fabric_, 4 * kMiB);
  std::fill(sink.bytes().begin(), sink.bytes().end(), kCanary);
  // Its first piece is there, the others are not.
  EXPECT_TRUE(fails_with(read_once(*connection, {.into = sink.at(0),
                                                 .local = sink.region(),
                                                 .remote = region.address,
                                                 .rkeys = region.rkeys(),
                                                 .length = 4 * kMiB}),
                         Errc::kAccess));
  std::fill(sink.bytes().begin(), sink.bytes().end(), kCanary);
  const Sink other(*fabric_, kMiB);
  EXPECT_TRUE(succeeded(read_once(*connection, {.into = other.at(0),
                                                .local = other.region(),
                                                .remote = region.address,
                                                .rkeys = region.rkeys(),
                                                .length = kMiB})));
  EXPECT_TRUE(std::all_of(sink.bytes().begin(), sink.bytes().end(),
                          [](std::byte byte) { return byte == kCanary; }));
}

TEST_F(VerbsTest, AnOwnerThatDiesWhileTheLinkIsReplacedIsLost) {
  const RemoteRegion region = owner_->add_region(kMiB, 3);
  const auto connection = connect(5000);
  const Sink sink(*fabric_, kMiB);
  constexpr std::size_t kCount = 20;
  for (std::size_t i = 0; i < kCount; ++i) {
    connection->post({.id = i,
                      .into = sink.at(0),
                      .local = sink.region(),
                      .remote = region.address,
                      .rkeys = {region.rkey ^ 1},
                      .length = kMiB});
  }
  Outcomes outcomes = collect(*connection, 2);
  owner_->kill();
  outcomes.merge(collect(*connection, kCount - outcomes.size()));
  EXPECT_TRUE(fails_with(outcomes.at(0), Errc::kAccess));
  EXPECT_TRUE(fails_with(outcomes.at(kCount - 1), Errc::kPeerLost));
}

TEST_F(VerbsTest, AStoppedOwnerCannotReplaceALinkForEver) {
  const RemoteRegion region = owner_->add_region(kMiB, 4);
  const auto connection = connect(1000);
  const Sink sink(*fabric_, kMiB);
  owner_->signal(SIGSTOP);
  for (std::uint64_t id = 0; id < 3; ++id) {
    connection->post({.id = id,
                      .into = sink.at(0),
                      .local = sink.region(),
                      .remote = region.address,
                      .rkeys = {region.rkey ^ 1},
                      .length = kMiB});
  }
  const Outcomes outcomes = collect(*connection, 3);
  EXPECT_TRUE(fails_with(outcomes.at(0), Errc::kAccess));
  EXPECT_TRUE(fails_with(outcomes.at(1), Errc::kPeerLost));
  EXPECT_TRUE(fails_with(outcomes.at(2), Errc::kPeerLost));
}

TEST_F(VerbsTest, TheDescriptorRestsWhenThereIsNothingToSay) {
  const RemoteRegion region = owner_->add_region(4096, 5);
  const auto connection = connect();
  const Sink sink(*fabric_, 4096);
  for (int round = 0; round < 100; ++round) {
    EXPECT_TRUE(succeeded(read_once(*connection, {.into = sink.at(0),
                                                  .local = sink.region(),
                                                  .remote = region.address,
                                                  .rkeys = region.rkeys(),
                                                  .length = 4096})));
    std::array<Completion, 1> none;
    EXPECT_EQ(connection->poll(none), 0U);
    pollfd readable{connection->fd(), POLLIN, 0};
    ASSERT_EQ(::poll(&readable, 1, 0), 0) << round;
  }
}

TEST_F(VerbsTest, MemoryIsRegisteredOnceTheDeviceIsKnown) {
  std::vector<std::byte> bytes(4096);
  try {
    fabric_->register_memory(bytes, Access::kLocalWrite);
    FAIL() << "registered with no device";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::kUsage) << error.what();
  }
  const auto connection = connect();
  EXPECT_NO_THROW(fabric_->register_memory(bytes, Access::kLocalWrite));
}

/// What this process has pinned for devices, in bytes.
std::size_t pinned_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmPin:")) {
      return std::stoul(line.substr(line.find_first_of("0123456789"))) * 1024;
    }
  }
  return SIZE_MAX;
}

/// Devices that register no more than kPart as one, at both ends.
class SmallRegionsTest : public VerbsTest {
 protected:
  static constexpr std::size_t kPart = 64 << 10;

  void SetUp() override {
    setenv("RDMASYNC_MAX_MR_SIZE", std::to_string(kPart + 1).c_str(), 1);
    VerbsTest::SetUp();
  }
  void TearDown() override {
    VerbsTest::TearDown();
    unsetenv("RDMASYNC_MAX_MR_SIZE");
  }
};

TEST_F(SmallRegionsTest, ReadsAcrossPartsAndWritesNothingElse) {
  const RemoteRegion region = owner_->add_region(5 * kPart + 100, 6);
  EXPECT_EQ(region.part_size, kPart);
  ASSERT_EQ(region.further.size(), 5U);
  const auto connection = connect();
  for (const std::size_t from : {0UL, 1UL, kPart - 1, kPart, 2 * kPart + 5}) {
    for (const std::size_t to : {0UL, 7UL, kPart}) {
      for (const std::size_t length : {1UL, kPart - 1, kPart, kPart + 1, 3 * kPart + 95}) {
        ASSERT_TRUE(reads_exactly(*fabric_, *connection, region, 6, {from, to, length}));
      }
    }
  }
}

TEST_F(SmallRegionsTest, AFaultInOnePartFailsThatReadOnce) {
  constexpr std::size_t kSize = 8 * kPart;
  constexpr std::size_t kCount = 30;
  const RemoteRegion region = owner_->add_region(kSize, 7);
  RemoteRegion broken = region;
  broken.further.at(4) ^= 1;
  const auto connection = connect();
  const Sink sink(*fabric_, kCount * kSize);
  for (std::size_t i = 0; i < kCount; ++i) {
    connection->post({.id = i,
                      .into = sink.at(i * kSize),
                      .local = sink.region(),
                      .remote = region.address,
                      .rkeys = i % 3 == 0 ? broken.rkeys() : region.rkeys(),
                      .length = kSize});
  }
  for (const auto& [id, outcome] : collect(*connection, kCount)) {
    if (id % 3 == 0) {
      EXPECT_TRUE(fails_with(outcome, Errc::kAccess)) << id;
    } else {
      ASSERT_TRUE(succeeded(outcome)) << id;
      ASSERT_TRUE(matches(sink.bytes().subspan(id * kSize, kSize), 7, 0));
    }
  }
  std::array<Completion, 1> none;
  EXPECT_EQ(connection->poll(none), 0U);
}

TEST_F(SmallRegionsTest, AKeyOpensItsPartOnly) {
  const RemoteRegion region = owner_->add_region(2 * kPart, 8);
  const auto connection = connect();
  const Sink sink(*fabric_, 2 * kPart);
  PartKeys rkeys = region.rkeys();
  rkeys.further = {};
  EXPECT_TRUE(fails_with(read_once(*connection, {.into = sink.at(0),
                                                 .local = sink.region(),
                                                 .remote = region.address,
                                                 .rkeys = rkeys,
                                                 .length = kPart + 1}),
                         Errc::kAccess));
}

TEST_F(SmallRegionsTest, EveryPartIsDeregistered) {
  const auto connection = connect();
  const std::size_t before = pinned_bytes();
  {
    const Sink sink(*fabric_, 10 * kPart);
    EXPECT_EQ(sink.region()->rkeys().further.size(), 9U);
    EXPECT_EQ(pinned_bytes(), before + 10 * kPart);
  }
  EXPECT_EQ(pinned_bytes(), before);
}

/// What a process has of RDMA devices: each would keep them open after its parent's death.
std::vector<std::string> devices_held_by(pid_t process) {
  std::vector<std::string> held;
  const auto proc = std::filesystem::path("/proc") / std::to_string(process);
  std::ifstream maps(proc / "maps");
  for (std::string line; std::getline(maps, line);) {
    held.push_back(line);
  }
  for (const auto& entry : std::filesystem::directory_iterator(proc / "fd")) {
    std::error_code gone;
    held.push_back(std::filesystem::read_symlink(entry, gone).string());
  }
  std::erase_if(held, [](const std::string& text) {
    return text.find("/dev/infiniband/") == std::string::npos;
  });
  return held;
}

TEST_F(VerbsTest, AForkedChildHoldsNoDevice) {
  std::vector<std::unique_ptr<Connection>> connections;
  for (int readers = 0; readers < 3; ++readers) {
    const pid_t child = owner_->fork_child();
    const auto deadline = Clock::now() + kForEver;
    while (!devices_held_by(child).empty() && Clock::now() < deadline) {
      ::poll(nullptr, 0, 10);  // it may not have begun to run
    }
    EXPECT_EQ(devices_held_by(child), std::vector<std::string>{}) << readers;
    ::kill(child, SIGKILL);
    connections.push_back(connect());
  }
}

/// Takes the right to pin without limit from this thread, and nearly all of the limit.
class LittleMemoryToLock {
 public:
  LittleMemoryToLock() {
    getrlimit(RLIMIT_MEMLOCK, &before_);
    rlimit little = before_;
    little.rlim_cur = 64 << 10;
    setrlimit(RLIMIT_MEMLOCK, &little);
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> capabilities{};
    syscall(SYS_capget, &header, capabilities.data());
    capabilities[0].effective &= ~(1U << CAP_IPC_LOCK);
    syscall(SYS_capset, &header, capabilities.data());
  }
  LittleMemoryToLock(const LittleMemoryToLock&) = delete;
  LittleMemoryToLock& operator=(const LittleMemoryToLock&) = delete;
  ~LittleMemoryToLock() { setrlimit(RLIMIT_MEMLOCK, &before_); }

 private:
  rlimit before_{};
};

TEST_F(VerbsTest, TellsThatTooLittleMemoryMayBeLocked) {
  const auto connection = connect();
  std::jthread([&] {
    const LittleMemoryToLock little;
    try {
      const Sink sink(*fabric_, 16 * kMiB);
      ADD_FAILURE() << "registered";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Errc::kResources);
      const std::string what = error.what();
      EXPECT_NE(what.find("RLIMIT_MEMLOCK is 65536 bytes"), std::string::npos) << what;
      EXPECT_NE(what.find("LimitMEMLOCK=infinity"), std::string::npos) << what;
      EXPECT_NE(what.find("ulimit -l"), std::string::npos) << what;
    }
  }).join();
  EXPECT_NO_THROW(Sink(*fabric_, 16 * kMiB));
}

TEST_F(VerbsTest, RegistersNothingInPlaceWhereForkSafetyIsAskedFor) {
  EXPECT_TRUE(fabric_->may_register_in_place());
  for (const char* name : {"RDMAV_FORK_SAFE", "IBV_FORK_SAFE"}) {
    setenv(name, "1", 1);
    EXPECT_FALSE(fabric_->may_register_in_place());
    unsetenv(name);
  }
}

/// A reader that says hello as it likes.
class Stranger {
 public:
  Stranger(const std::string& endpoint, std::vector<std::byte> hello) : hello_(std::move(hello)) {
    const Addresses addresses = resolve(Endpoint::parse(endpoint));
    std::memcpy(&target_, addresses->ai_addr, addresses->ai_addrlen);
    resolve_address();
  }

  /// The event that ends the attempt.
  verbs::CmEvent answer() {
    const auto deadline = Clock::now() + kForEver;
    while (Clock::now() < deadline) {
      pollfd readable{events_.fd(), POLLIN, 0};
      ::poll(&readable, 1, 1000);
      const auto event = events_.next();
      if (!event) {
        continue;
      }
      switch (event->type) {
        case RDMA_CM_EVENT_ADDR_ERROR:
          resolve_address();
          break;
        case RDMA_CM_EVENT_ADDR_RESOLVED:
          rdma_resolve_route(id_.get(), 2000);
          break;
        case RDMA_CM_EVENT_ROUTE_RESOLVED:
          say_hello();
          break;
        default:
          return *event;
      }
    }
    return {};
  }

 private:
  void resolve_address() {
    auto address = target_;
    rdma_resolve_addr(id_.get(), nullptr, reinterpret_cast<sockaddr*>(&address), 200);
  }

  void say_hello() {
    ibv_qp_init_attr attributes{};
    attributes.qp_type = IBV_QPT_RC;
    attributes.cap = {1, 1, 1, 1, 0};
    rdma_create_qp(id_.get(), nullptr, &attributes);
    rdma_conn_param parameters{};
    parameters.private_data = hello_.data();
    parameters.private_data_len = static_cast<std::uint8_t>(hello_.size());
    parameters.responder_resources = 1;
    parameters.initiator_depth = 1;
    rdma_connect(id_.get(), &parameters);
  }

  const std::vector<std::byte> hello_;
  sockaddr_storage target_{};
  verbs::EventChannel events_;
  verbs::CmId id_ = events_.make_id();
};

std::vector<std::byte> bytes_of(const verbs::Hello& hello) {
  const auto* data = reinterpret_cast<const std::byte*>(&hello);
  return {data, data + sizeof(hello)};
}

TEST_F(VerbsTest, TellsStrangersWhatIsWrong) {
  struct Case {
    verbs::Hello hello;
    verbs::Refusal why;
  };
  const std::array cases{
      Case{{.token = random_token()}, verbs::Refusal::kUnknownToken},
      Case{{.magic = 1, .token = token_}, verbs::Refusal::kWrongVersion},
      Case{{.version = 99, .token = token_}, verbs::Refusal::kWrongVersion},
      Case{{.length = 12, .token = token_}, verbs::Refusal::kWrongVersion},
  };
  for (const Case& each : cases) {
    const auto event = Stranger(owner_->endpoint(), bytes_of(each.hello)).answer();
    ASSERT_EQ(event.type, RDMA_CM_EVENT_REJECTED);
    const auto answer = event.data_as<verbs::Rejected>();
    EXPECT_EQ(answer.magic, verbs::kHelloMagic);
    EXPECT_EQ(answer.why, each.why);
  }
  const auto silent = Stranger(owner_->endpoint(), {}).answer();
  EXPECT_EQ(silent.type, RDMA_CM_EVENT_REJECTED);
  const auto known = Stranger(owner_->endpoint(), bytes_of({.token = token_})).answer();
  EXPECT_EQ(known.type, RDMA_CM_EVENT_ESTABLISHED);
}

TEST_F(VerbsTest, ListensOnAnAddressOfADevice) {
  const auto fabric = make_fabric("verbs");
  const auto any = fabric->listen({});
  EXPECT_FALSE(Endpoint::parse(any->endpoint()).host.empty());
  const auto loopback = fabric->listen({"127.0.0.1"});  // no device has it
  EXPECT_FALSE(Endpoint::parse(loopback->endpoint()).host.empty());
  EXPECT_NE(any->endpoint(), loopback->endpoint());
  try {
    fabric->listen({"192.0.2.1"});
    ADD_FAILURE() << "listens on an address of another machine";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("an address of this machine"), std::string::npos)
        << error.what();
  }
  EXPECT_THROW(fabric->listen({"no.such.host.invalid"}), Error);
}

}  // namespace
}  // namespace rdmasync::rdma

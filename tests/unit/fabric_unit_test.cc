#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <set>
#include <thread>
#include <vector>

#include "rdma/cma/board.h"
#include "rdma/emulated/region_table.h"
#include "rdma/fabric.h"
#include "rdma/tcp/address.h"
#include "rdma/tcp/wire.h"
#include "rdmasync/error.h"

namespace rdmasync::rdma {
namespace {

TcpDeadline in_a_minute() {
  return std::chrono::steady_clock::now() + std::chrono::seconds(60);
}

// Waits for the peer's end of the connection, a minute at most.
bool is_closed_by_peer(const Socket& socket) {
  std::array<std::byte, 64> some{};
  for (;;) {
    pollfd readable{socket.fd(), POLLIN, 0};
    if (poll(&readable, 1, 60'000) <= 0) {
      return false;
    }
    if (recv(socket.fd(), some.data(), some.size(), 0) <= 0) {
      return true;
    }
  }
}

TEST(RegionTable, GivesEveryRegionAKeyOfItsOwn) {
  RegionTable table;
  const std::array<std::byte, 8> bytes{};
  std::set<std::uint32_t> seen;
  for (int i = 0; i < 100'000; ++i) {
    const std::uint32_t rkey = table.add(bytes);
    ASSERT_TRUE(seen.insert(rkey).second);
    table.remove(rkey);
  }
}

TEST(RegionTable, HoldsItsCapacityAndNoMore) {
  RegionTable table;
  const std::array<std::byte, 8> bytes{};
  std::vector<std::uint32_t> rkeys;
  for (std::uint32_t i = 0; i < RegionKeys::kEntries; ++i) {
    rkeys.push_back(table.add(bytes));
  }
  EXPECT_THROW(table.add(bytes), Error);
  table.remove(rkeys.back());
  EXPECT_NO_THROW(table.add(bytes));
}

TEST(RegionTable, ServesAnyThread) {
  RegionTable table;
  std::array<std::jthread, 4> threads;
  for (std::jthread& thread : threads) {
    thread = std::jthread([&table] {
      const std::array<std::byte, 8> bytes{};
      const auto address = reinterpret_cast<std::uintptr_t>(bytes.data());
      for (int round = 0; round < 10'000; ++round) {
        const std::uint32_t rkey = table.add(bytes);
        EXPECT_TRUE(table.allows(rkey, address, bytes.size()));
        table.remove(rkey);
        EXPECT_FALSE(table.allows(rkey, address, bytes.size()));
      }
    });
  }
}

TEST(CmaEndpoint, SurvivesPrinting) {
  const CmaEndpoint endpoint{
      .host = cma_host(), .pid = 42, .board = 0x7F00DEADB000, .nonce = random_token()};
  const CmaEndpoint parsed = CmaEndpoint::parse(endpoint.print());
  EXPECT_EQ(parsed.host, endpoint.host);
  EXPECT_EQ(parsed.pid, endpoint.pid);
  EXPECT_EQ(parsed.board, endpoint.board);
  EXPECT_EQ(parsed.nonce, endpoint.nonce);
  EXPECT_EQ(endpoint.print().find(' '), std::string::npos);
}

TEST(CmaFabric, RefusesAnotherHost) {
  const auto fabric = make_fabric("cma");
  const auto listener = fabric->listen({});
  const Token token = random_token();
  listener->admit(token);
  EXPECT_NO_THROW(fabric->connect({.host = "", .endpoint = listener->endpoint(), .token = token}));
  try {
    fabric->connect({.host = "", .endpoint = "x" + listener->endpoint(), .token = token});
    FAIL() << "connected";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::kRefused);
  }
}

TEST(Endpoint, SurvivesPrinting) {
  for (const char* text : {"6379", "127.0.0.1:6379", "[::1]:6379", "db.example.org:1"}) {
    EXPECT_EQ(Endpoint::parse(text).print(), text);
  }
  EXPECT_EQ(Endpoint::parse("[::1]:6379").host, "::1");
}

TEST(TcpFabric, ListensEverywhereUnlessTold) {
  const auto fabric = make_fabric("tcp");
  const auto listener = fabric->listen({});
  EXPECT_EQ(listener->endpoint().find(':'), std::string::npos);
  const Token token = random_token();
  listener->admit(token);
  EXPECT_NO_THROW(
      fabric->connect({.host = "localhost", .endpoint = listener->endpoint(), .token = token}));
  EXPECT_THROW(fabric->listen({.bind = "203.0.113.1"}), Error);
}

TEST(TcpFabric, ClosesOnStrangers) {
  const auto fabric = make_fabric("tcp");
  const auto listener = fabric->listen({.bind = "127.0.0.1"});
  const Socket stranger = dial_tcp(Endpoint::parse(listener->endpoint()), in_a_minute());
  const std::string hello(sizeof(TcpHello), 'x');
  send(stranger.fd(), hello.data(), hello.size(), MSG_NOSIGNAL);
  EXPECT_TRUE(is_closed_by_peer(stranger));
  const Socket silent = dial_tcp(Endpoint::parse(listener->endpoint()), in_a_minute());
  EXPECT_TRUE(is_closed_by_peer(silent));
}

TEST(TcpFabric, AReaderThatDoesNotReadDelaysNobody) {
  const auto fabric = make_fabric("tcp");
  const auto listener = fabric->listen({.bind = "127.0.0.1"});
  const Token token = random_token();
  listener->admit(token);
  std::vector<std::byte> bytes(std::size_t{16} << 20);
  const auto region = fabric->register_memory(bytes, Access::kRemoteRead);
  const auto address = reinterpret_cast<std::uintptr_t>(bytes.data());

  const Socket slow = dial_tcp(Endpoint::parse(listener->endpoint()), in_a_minute());
  const TcpHello hello{.token = token};
  send(slow.fd(), &hello, sizeof(hello), MSG_NOSIGNAL);
  for (std::uint64_t id = 0; id < 2 * kTcpWindow; ++id) {
    const TcpRequest request{.id = id,
                             .address = address,
                             .length = bytes.size(),
                             .rkey = region->rkeys().first,
                             .unused = 0};
    send(slow.fd(), &request, sizeof(request), MSG_NOSIGNAL);
  }

  const auto quick =
      fabric->connect({.host = "", .endpoint = listener->endpoint(), .token = token});
  std::array<std::byte, 64> into{};
  const auto local = fabric->register_memory(into, Access::kLocalWrite);
  for (int i = 0; i < 100; ++i) {
    quick->post({.id = 0,
                 .into = into.data(),
                 .local = local.get(),
                 .remote = address,
                 .rkeys = region->rkeys(),
                 .length = into.size()});
    pollfd ready{quick->fd(), POLLIN, 0};
    ASSERT_EQ(poll(&ready, 1, 60'000), 1);
    std::array<Completion, 1> done;
    ASSERT_EQ(quick->poll(done), 1U);
    ASSERT_FALSE(done[0].error);
  }
  listener->revoke(token);
  EXPECT_TRUE(is_closed_by_peer(slow));
}

TEST(TcpFabric, AcceptsBehindACrowdOfStrangers) {
  const auto fabric = make_fabric("tcp");
  const auto listener = fabric->listen({.bind = "127.0.0.1"});
  const Token token = random_token();
  listener->admit(token);
  std::array<Socket, 100> crowd;
  for (Socket& stranger : crowd) {
    stranger = dial_tcp(Endpoint::parse(listener->endpoint()), in_a_minute());
  }
  EXPECT_NO_THROW(fabric->connect(
      {.host = "", .endpoint = listener->endpoint(), .token = token, .peer_timeout_ms = 60'000}));
}

}  // namespace
}  // namespace rdmasync::rdma

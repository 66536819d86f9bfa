// A master that is itself a replica.

#include <csignal>

#include "harness/sync_test.h"
#include "tests/commands/writers.h"
#include "tests/support/dataset.h"

namespace rdmasync::test {
namespace {

constexpr int kMixThreads = 3;
constexpr int kFollowers = 1;

class ChainTest : public FabricTest {
 protected:
  void SetUp() override {
    FabricTest::SetUp();
    if (IsSkipped()) {
      return;
    }
    top_ = &start_server("top", with_fabric({.config = {"repl-ping-replica-period 1"}}));
    middle_ = &start_server("middle", with_fabric());
    bottom_ = &start_server("bottom", with_fabric());
    fill_dataset(*top_);
    wait_short_lived_gone(*top_);
    replicaof(*middle_, *top_);
    wait_synced(*middle_, *top_);
  }

  Server& top() { return *top_; }
  Server& middle() { return *middle_; }
  Server& bottom() { return *bottom_; }

  static void replicaof(Server& replica, const Server& master) {
    turn(replica, {"REPLICAOF", master.host(), std::to_string(master.port())});
  }
  void hold_bottom_at(const char* state) {
    pause_at(bottom(), state);
    replicaof(bottom(), middle());
    wait_state(bottom(), state);
  }
  void resume() { pause_at(bottom(), "none"); }
  void expect_equal() {
    top().must("SET", "last", "of all");
    wait_offsets_equal(top(), middle());
    EXPECT_TRUE(equal(top(), bottom()));
    EXPECT_EQ(bottom().info("replication", "master_replid"),
              top().info("replication", "master_replid"));
    for (Server* server : {&top(), &middle()}) {
      EXPECT_EQ(server->info("stats", "total_forks"), "0") << server->name();
    }
  }

 private:
  Server* top_ = nullptr;
  Server* middle_ = nullptr;
  Server* bottom_ = nullptr;
};
RDMASYNC_FOR_EACH_FABRIC(ChainTest);

TEST_P(ChainTest, ReplicaofUnderWriters) {
  Writers writers(top(), 1, kMixThreads, kFollowers);
  replicaof(bottom(), middle());
  wait_synced(bottom(), middle());
  writers.stop();
  expect_equal();
}

TEST_P(ChainTest, SlaveofUnderWriters) {
  fill_old_dataset(bottom());
  Writers writers(top(), 2, kMixThreads, kFollowers);
  slaveof(bottom(), middle());
  wait_synced(bottom(), middle());
  writers.stop();
  EXPECT_TRUE(has_lost_old_dataset(bottom()));
  expect_equal();
}

TEST_P(ChainTest, AFourthServer) {
  Server& fourth = start_server("fourth", with_fabric());
  Writers writers(top(), 3, kMixThreads, kFollowers);
  replicaof(bottom(), middle());
  wait_synced(bottom(), middle());
  replicaof(fourth, bottom());
  wait_synced(fourth, bottom());
  writers.stop();
  expect_equal();
  EXPECT_TRUE(equal(top(), fourth));
}

/// Nothing in the stream says so after the cut.
TEST_P(ChainTest, TheStreamGoesOnInItsDatabase) {
  Client client = top().connect();
  client.must("SELECT", 5);
  client.must("SET", "before", "the cut");
  wait_offsets_equal(top(), middle());
  replicaof(bottom(), middle());
  wait_synced(bottom(), middle());
  client.must("SET", "after", "the cut");
  wait_offsets_equal(top(), bottom());
  Client below = bottom().connect();
  below.must("SELECT", 5);
  EXPECT_EQ(below.must("GET", "after").text, "the cut") << "goes on in another database";
  EXPECT_TRUE(equal(top(), bottom()));
}

/// The middle shows it to nobody, and keeps it until the top says that it is gone: until then the
/// top may still bring it back.
TEST_P(ChainTest, WhatHasExpiredGoesAlong) {
  top().must("DEBUG", "SET-ACTIVE-EXPIRE", 0);
  middle().must("DEBUG", "SET-ACTIVE-EXPIRE", 0);
  Client client = top().connect();
  const std::vector<Command> values = {{"SET", "expired:string", "short"},
                                       {"SET", "expired:number", "12345"},
                                       {"SET", "expired:large", random_bytes(1, 300'000)},
                                       {"RPUSH", "expired:list", "a", "b"},
                                       {"SADD", "expired:set", "a", "b"},
                                       {"HSET", "expired:hash", "a", "b"},
                                       {"ZADD", "expired:zset", "1", "a"},
                                       {"XADD", "expired:stream", "1-1", "a", "b"}};
  for (const Command& command : values) {
    client.checked(command);
    client.must("PEXPIRE", command.at(1), 1);
  }
  wait_offsets_equal(top(), middle());
  for (const Command& command : values) {
    wait_until(command.at(1) + " has expired",
               [&] { return middle().must("EXISTS", command.at(1)).number == 0; });
  }
  const auto size = middle().must("DBSIZE").number;
  replicaof(bottom(), middle());
  wait_synced(bottom(), middle());
  EXPECT_EQ(bottom().must("DBSIZE").number, size) << "lacks what has expired";
  EXPECT_EQ(digest(bottom()), digest(top()));
  EXPECT_EQ(client.must("DBSIZE").number, size);
  // The top finds that it has expired now.
  EXPECT_EQ(client.must("INCR", "expired:number").number, 1);
  expect_equal();
}

/// It is the middle's server that tells the bottom to wait.
TEST_P(ChainTest, TheMiddleHasNoLink) {
  pause_at(middle(), "connecting");
  ::kill(top().pid(), SIGSTOP);
  middle().must("CLIENT", "KILL", "TYPE", "master");
  wait_until("the middle has no link",
             [&] { return middle().info("replication", "master_link_status") == "down"; });
  replicaof(bottom(), middle());
  wait_until("the bottom is told to wait",
             [&] { return bottom().log().find("NOMASTERLINK") != std::string::npos; });
  ::kill(top().pid(), SIGCONT);
  wait_synced(bottom(), middle());
  expect_equal();
}

/// Where its stream goes on nobody knows then: the cut is later.
TEST_P(ChainTest, TheMiddleLosesItsLinkBeforeTheCut) {
  hold_bottom_at("cutting");
  ::kill(top().pid(), SIGSTOP);
  middle().must("CLIENT", "KILL", "TYPE", "master");
  resume();
  wait_until("the cut is refused", [&] {
    return bottom().log().find("has no link to its own master now") != std::string::npos ||
           status(bottom(), "last_sync_error").find("has no link") != std::string::npos;
  });
  ::kill(top().pid(), SIGCONT);
  wait_synced(bottom(), middle());
  expect_equal();
}

TEST_P(ChainTest, TheMiddleContinuesInEveryState) {
  for (const char* state : {"attaching", "pulling", "cutting", "loading", "continuing"}) {
    SCOPED_TRACE(state);
    hold_bottom_at(state);
    const auto partial = [&] { return std::stoi(top().info("stats", "sync_partial_ok")); };
    const int before = partial();
    middle().must("CLIENT", "KILL", "TYPE", "master");
    wait_until("the middle continues", [&] { return partial() > before; });
    top().must("SET", "meanwhile", state);
    resume();
    wait_synced(bottom(), middle());
    expect_equal();
    turn(bottom(), {"REPLICAOF", "NO", "ONE"});
  }
}

TEST_P(ChainTest, TheMiddleIsPromotedInEveryState) {
  for (const char* state : {"attaching", "pulling", "cutting", "loading", "continuing"}) {
    SCOPED_TRACE(state);
    hold_bottom_at(state);
    turn(middle(), {"REPLICAOF", "NO", "ONE"});
    middle().must("SET", "promoted", state);
    resume();
    wait_synced(bottom(), middle());
    EXPECT_TRUE(equal(middle(), bottom()));
    turn(bottom(), {"REPLICAOF", "NO", "ONE"});
    replicaof(middle(), top());
    wait_synced(middle(), top());
  }
}

TEST_P(ChainTest, TheMiddleGetsAnotherDatasetInEveryState) {
  Server& other = start_server("other", with_fabric());
  fill_dataset(other, {.small_keys = 100, .large_values = 1});
  for (const char* state : {"attaching", "pulling", "cutting", "loading", "continuing"}) {
    SCOPED_TRACE(state);
    hold_bottom_at(state);
    slaveof(middle(), other);
    wait_synced(middle(), other);
    resume();
    wait_synced(bottom(), middle());
    EXPECT_TRUE(equal(other, bottom()));
    turn(bottom(), {"REPLICAOF", "NO", "ONE"});
    replicaof(middle(), top());
    wait_synced(middle(), top());
  }
}

}  // namespace
}  // namespace rdmasync::test

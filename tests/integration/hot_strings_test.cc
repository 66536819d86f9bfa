// Large strings that are written while they are read in place: what is written is copied, and no
// more.

#include "harness/sync_test.h"
#include "tests/support/dataset.h"

namespace rdmasync::test {
namespace {

constexpr std::size_t kLength = 32 << 20;

class HotStringsTest : public FabricTest {
 protected:
  void SetUp() override {
    FabricTest::SetUp();
    if (IsSkipped()) {
      return;
    }
    master_ = &start_master();
    replica_ = &start_replica();
    fill_old_dataset(*replica_);
    for (const char* key : {"hot", "other"}) {
      master().must("SET", key, random_bytes(1, kLength));
      // From here on it may grow a little where it is.
      master().must("APPEND", key, "x");
    }
    // By then both have been read: what is written from here on must come in parts.
    pause_at(replica(), "cutting");
    slaveof(replica(), master());
    wait_state(replica(), "cutting");
    ASSERT_EQ(status(master(), "export_direct"), "2");
  }
  Server& master() { return *master_; }
  Server& replica() { return *replica_; }

  void finish() {
    pause_at(replica(), "none");
    wait_synced(replica(), master());
    EXPECT_TRUE(equal(master(), replica(), {.exact = true}));
    wait_export_gone(master());
  }
  /// Nothing was read twice, and no more was copied than what changed.
  void expect_in_parts() {
    EXPECT_EQ(status(master(), "export_direct"), "2");
    EXPECT_EQ(status(master(), "export_packed"), "0");
    EXPECT_GT(status_number(master(), "export_parts"), 0);
    EXPECT_LT(status_number(master(), "export_ring_bytes"), 1 << 20);
  }

 private:
  Server* master_ = nullptr;
  Server* replica_ = nullptr;
};
RDMASYNC_FOR_EACH_FABRIC(HotStringsTest);

TEST_P(HotStringsTest, WhatIsNamedIsCopied) {
  for (int i = 0; i < 100; i++) {
    master().must("SETBIT", "hot", i * 1'234'567, i % 2);
  }
  master().must("SETBIT", "hot", 8 * kLength - 1, 1);
  master().must("SETRANGE", "hot", 777'777, "written");
  master().must("BITFIELD", "hot", "SET", "u32", "#4321", 99, "INCRBY", "i16", 16'777'215, 1);
  master().must("APPEND", "hot", "and more");
  master().must("EXPIRE", "other", 1000);
  finish();
  expect_in_parts();
}

TEST_P(HotStringsTest, AlsoWhatAScriptNames) {
  master().must("EVAL",
                "redis.call('SETRANGE', KEYS[1], 5, 'script') "
                "redis.call('SETBIT', KEYS[1], 12345678, 1)",
                1, "hot");
  finish();
  expect_in_parts();
}

TEST_P(HotStringsTest, TheTimeOfOneGoes) {
  master().must("EXPIRE", "hot", 1000);
  master().must("PERSIST", "hot");
  master().must("SETRANGE", "hot", 5, "x");
  finish();
  expect_in_parts();
  EXPECT_EQ(replica().must("TTL", "hot").number, -1);
}

/// No part of its former life is in the next one.
TEST_P(HotStringsTest, AnotherValueUnderTheName) {
  master().must("SETRANGE", "hot", 100, "former");
  master().must("SET", "hot", random_bytes(2, kLength));
  master().must("SETRANGE", "hot", 200, "next");
  master().must("SETRANGE", "other", 100, "former");
  master().must("DEL", "other");
  master().must("RPUSH", "other", "a list now");
  finish();
}

/// A time that has passed deletes it; the next one may be as long, and lie where it lay.
TEST_P(HotStringsTest, AnotherLifeAfterItsTime) {
  master().must("EXPIRE", "hot", -1);
  master().must("SETRANGE", "hot", kLength, "x");
  master().must("PEXPIREAT", "other", 1);
  master().must("SETBIT", "other", 8 * kLength, 1);
  finish();
}

TEST_P(HotStringsTest, AnotherName) {
  master().must("SETRANGE", "hot", 100, "former");
  master().must("RENAME", "hot", "renamed");
  master().must("SETRANGE", "renamed", 200, "next");
  master().must("RENAME", "other", "hot");
  master().must("SETRANGE", "hot", 300, "written");
  finish();
}

TEST_P(HotStringsTest, AnotherDatabase) {
  master().must("SETRANGE", "hot", 100, "former");
  master().must("SWAPDB", 0, 3);
  master().must("SETRANGE", "hot", 100, "a new one");
  master().must("SELECT", 3);
  master().must("SETRANGE", "hot", 200, "next");
  finish();
}

TEST_P(HotStringsTest, ATransactionMakesItWhole) {
  master().must("MULTI");
  master().must("SETRANGE", "hot", 100, "queued");
  master().must("SETRANGE", "other", 100, "queued");
  master().must("EXEC");
  finish();
}

/// What a script named, and did not do, is not what the transaction does next.
TEST_P(HotStringsTest, AScriptInATransaction) {
  master().must("MULTI");
  master().must("EVAL", "return redis.call('SETRANGE', KEYS[1], 0, '')", 1, "hot");
  master().must("SETRANGE", "hot", 100, "queued");
  master().must("EXEC");
  finish();
}

/// Then commands run after others that came later, or that never run.
TEST_P(HotStringsTest, WritesThatAreHeldBack) {
  master().must("SETRANGE", "hot", 50, "before");
  master().must("CLIENT", "PAUSE", 100'000, "WRITE");
  Client first = master().connect();
  first.append({"SETRANGE", "hot", "100", "first"});
  first.flush();
  const auto blocked = [&] { return master().info("clients").at("blocked_clients"); };
  wait_until("one is held back", [&] { return blocked() == "1"; });
  {
    Client second = master().connect();
    second.append({"SETRANGE", "hot", "9000", "second"});
    second.flush();
    wait_until("two are held back", [&] { return blocked() == "2"; });
  }
  wait_until("the second has gone", [&] { return blocked() == "1"; });
  master().must("CLIENT", "UNPAUSE");
  EXPECT_FALSE(first.receive().is_error());
  finish();
}

TEST_P(HotStringsTest, OneThatMovesIsWhole) {
  master().must("APPEND", "hot", random_bytes(3, kLength));
  master().must("SETRANGE", "other", 2 * kLength, "far behind");
  finish();
}

TEST_P(HotStringsTest, OneThatExpires) {
  master().must("SETRANGE", "hot", 100, "former");
  master().must("PEXPIRE", "hot", 1);
  wait_until("it has", [&] { return master().must("EXISTS", "hot").number == 0; });
  finish();
}

}  // namespace
}  // namespace rdmasync::test

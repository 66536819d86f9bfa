#include <gtest/gtest.h>

#include <string>

#include "harness/sync_test.h"

// What this build cannot know: commands of other modules, event classes of servers to come.
namespace rdmasync::test {
namespace {

class UnknownWritesTest : public SyncTest {
 protected:
  void SetUp() override {
    master_ = &start_server(
        "master", {.config = {"rename-command EXEC RUN"}, .module_args = {"max-rounds", "2"}});
    replica_ = &start_server("replica", {.module_args = {"debug", "yes"}});
    for (const char* key : {"scattered", "whispered", "boxed"}) {
      master_->must("TESTTYPE.SET", key, "old");
    }
    Pipeline pipeline(master_->client());
    for (int i = 0; i < kLarge; i++) {
      pipeline.add("RPUSH", "list", i);
    }
    pipeline.finish();
    pause_at(*replica_, "cutting");
    slaveof(*replica_, *master_);
    wait_state(*replica_, "cutting");
  }

  static constexpr int kLarge = 2000;

  void go_on() { pause_at(*replica_, "none"); }

  void expect_equal() {
    wait_synced(*replica_, *master_);
    EXPECT_TRUE(equal(*master_, *replica_));
  }

  Server* master_ = nullptr;
  Server* replica_ = nullptr;
};

TEST_F(UnknownWritesTest, AnEventOfANewClassIsHeard) {
  master_->must("TESTTYPE.WHISPER", "whispered", "new");
  go_on();
  expect_equal();
}

TEST_F(UnknownWritesTest, ASubcommandWrites) {
  master_->must("TESTTYPE.BOX", "PUT", "boxed", "new");
  go_on();
  expect_equal();
}

// No key is in it, but not because the command writes without naming keys.
TEST_F(UnknownWritesTest, AFaultyCommandDoesNotMakeTheMasterReadAllAgain) {
  EXPECT_TRUE(master_->command("XREADGROUP", "GROUP", "g", "c", "STREAM", "x", ">").is_error());
  pause_at(*replica_, "pulling");
  wait_until("the sync is done, or begins anew", [&] {
    return status(*replica_, "state") == "pulling" || status(*replica_, "syncs_ok") == "1";
  });
  EXPECT_EQ(status(*replica_, "syncs_ok"), "1");
}

TEST_F(UnknownWritesTest, AWriteThatNamesNoKeyIsFound) {
  master_->must("TESTTYPE.SCATTER", "new");
  go_on();
  expect_equal();
}

/// All is read again, and what went in parts goes as a whole if it is small by now.
TEST_F(UnknownWritesTest, AWriteThatNamesNoKeyMeetsAListThatHasShrunk) {
  master_->must("LTRIM", "list", kLarge - 10, -1);
  master_->must("LPUSH", "list", "pushed");
  master_->must("TESTTYPE.SCATTER", "new");
  go_on();
  expect_equal();
}

TEST_F(UnknownWritesTest, AWriteThatNamesNoKeyIsFoundWhenItsTransactionRuns) {
  Client client = master_->connect();
  client.must("MULTI");
  client.must("TESTTYPE.SCATTER", "new");
  // That it was queued makes the master read all again once; held again before the next cut.
  pause_at(*replica_, "pulling");
  wait_state(*replica_, "pulling");
  pause_at(*replica_, "cutting");
  wait_state(*replica_, "cutting");
  client.must("RUN");
  go_on();
  expect_equal();
}

TEST_F(UnknownWritesTest, WhatNeverEndsIsToldByItsName) {
  const auto failed = [this] { return !status(*replica_, "last_sync_error").empty(); };
  const auto hold = [&](const std::string& state) {
    pause_at(*replica_, state);
    wait_until("the sync is " + state + ", or fails",
               [&] { return failed() || status(*replica_, "state") == state; });
  };
  while (!failed()) {
    master_->must("TESTTYPE.SCATTER", "again");
    hold("pulling");
    hold("cutting");
  }
  EXPECT_TRUE(mentions(status(*replica_, "last_sync_error"), "testtype.scatter"));
  go_on();
  expect_equal();
}

}  // namespace
}  // namespace rdmasync::test

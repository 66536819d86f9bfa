// Everything that can end a sync, in every state of it.

#include <csignal>
#include <tuple>

#include "harness/sync_test.h"
#include "tests/support/dataset.h"

namespace rdmasync::test {
namespace {

using Case = std::tuple<std::string, std::string>;  // fabric, state

class InterruptionTest : public SyncTest, public ::testing::WithParamInterface<Case> {
 protected:
  void SetUp() override {
    skip_unless_there(std::get<0>(GetParam()));
    if (IsSkipped()) {
      return;
    }
    master_ = &start_server("master", options());
    replica_ = &start_server("replica", options());
    fill_dataset(*master_, {.small_keys = 1000, .large_values = 2});
    fill_old_dataset(*replica_);
    pause_at(*replica_, state());
    slaveof(*replica_, *master_);
    wait_state(*replica_, state());
  }

  static ServerOptions options() {
    return {
        .config = {"repl-ping-replica-period 1", "repl-timeout 3", "rdmasync.replica-timeout 3"},
        .module_args = fabric_args(std::get<0>(GetParam()))};
  }
  static const std::string& state() { return std::get<1>(GetParam()); }
  static bool before_loading() { return state() != "loading" && state() != "continuing"; }
  Server& master() { return *master_; }
  Server& replica() { return *replica_; }

  void resume() { pause_at(*replica_, "none"); }
  /// The whole of one dataset: the old one, or once loading has begun, the master's.
  void expect_a_whole_dataset() {
    if (before_loading()) {
      EXPECT_TRUE(has_old_dataset(*replica_));
    } else {
      EXPECT_TRUE(has_old_dataset(*replica_) || has_lost_old_dataset(*replica_));
    }
  }
  void expect_sync_succeeds(Server& from) {
    slaveof(*replica_, from);
    wait_synced(*replica_, from);
    EXPECT_TRUE(equal(from, *replica_));
    EXPECT_TRUE(has_lost_old_dataset(*replica_));
    wait_export_gone(from);
  }

 private:
  Server* master_ = nullptr;
  Server* replica_ = nullptr;
};

std::string case_name(const ::testing::TestParamInfo<Case>& test) {
  return std::get<0>(test.param) + "_" + std::get<1>(test.param);
}

INSTANTIATE_TEST_SUITE_P(States, InterruptionTest,
                         ::testing::Combine(::testing::ValuesIn(fabrics()),
                                            ::testing::Values("connecting", "waiting", "attaching",
                                                              "pulling", "cutting", "loading",
                                                              "continuing")),
                         case_name);

TEST_P(InterruptionTest, MasterKilled) {
  master().kill();
  resume();
  const std::string reason = wait_error(replica());
  EXPECT_FALSE(reason.empty());
  EXPECT_NE(status(replica(), "state"), "synced");
  expect_a_whole_dataset();
  master().start();
  fill_dataset(master(), {.small_keys = 10, .large_values = 1});
  expect_sync_succeeds(master());
}

TEST_P(InterruptionTest, ReplicaKilled) {
  replica().kill();
  EXPECT_EQ(master().must("SET", "still", "here").describe(), "+OK");
  wait_export_gone(master());
  replica().start();
  expect_sync_succeeds(master());
}

TEST_P(InterruptionTest, SlaveofNoOne) {
  slaveof_no_one(replica());
  resume();
  wait_state(replica(), "idle");
  wait_export_gone(master());
  EXPECT_EQ(replica().info("replication", "role"), "master");
  EXPECT_EQ(replica().must("SET", "own", "write").describe(), "+OK");
  expect_a_whole_dataset();
  expect_sync_succeeds(master());
}

TEST_P(InterruptionTest, SlaveofAnotherMaster) {
  Server& other = start_server("other", options());
  fill_dataset(other, {.small_keys = 100, .large_values = 1});
  other.must("SET", "name", "other");
  slaveof(replica(), other);
  resume();
  wait_synced(replica(), other);
  EXPECT_TRUE(equal(other, replica()));
  EXPECT_EQ(replica().must("GET", "name").text, "other");
  wait_export_gone(master());
  wait_export_gone(other);
  expect_sync_succeeds(master());
}

TEST_P(InterruptionTest, ReplicaShutDown) {
  EXPECT_TRUE(replica().stop());
  wait_export_gone(master());
  replica().start();
  EXPECT_FALSE(std::filesystem::exists(replica().directory() / "dump.rdb"));
  expect_sync_succeeds(master());
}

class HungMasterTest : public InterruptionTest {};
INSTANTIATE_TEST_SUITE_P(States, HungMasterTest,
                         ::testing::Combine(::testing::ValuesIn(fabrics()),
                                            ::testing::Values("connecting", "attaching", "pulling",
                                                              "cutting")),
                         case_name);

/// It answers nothing, but its connections stay open: only a deadline ends that.
TEST_P(HungMasterTest, IsGivenUp) {
  ::kill(master().pid(), SIGSTOP);
  resume();
  EXPECT_FALSE(wait_error(replica()).empty());
  EXPECT_TRUE(has_old_dataset(replica()));
  ::kill(master().pid(), SIGCONT);
  expect_sync_succeeds(master());
}

}  // namespace
}  // namespace rdmasync::test

// Either end, or a connection between them, stops in the midst of what REPLICAOF has begun.

#include <csignal>

#include "harness/sync_test.h"
#include "tests/commands/writers.h"
#include "tests/support/dataset.h"

namespace rdmasync::test {
namespace {

class ReplicaofFaultsTest : public FabricTest {
 protected:
  void SetUp() override {
    FabricTest::SetUp();
    if (IsSkipped()) {
      return;
    }
    const std::vector<std::string> config = {"repl-timeout 3", "rdmasync.replica-timeout 3",
                                             "repl-ping-replica-period 1"};
    master_ = &start_master({.config = config});
    replica_ = &start_replica({.config = config});
    fill_dataset(*master_, {.small_keys = 500, .large_values = 1});
  }

  Server& master() { return *master_; }
  Server& replica() { return *replica_; }

  /// Holds a sync at each of its states, in turn; and then it must end well, whatever is done.
  void in_every_state(const std::function<void()>& stop_something) {
    for (const char* state :
         {"attaching", "pulling", "cutting", "waiting", "loading", "continuing"}) {
      SCOPED_TRACE(state);
      fill_old_dataset(replica());
      pause_at(replica(), state);
      turn(replica(), {"REPLICAOF", master().host(), std::to_string(master().port())});
      wait_state(replica(), state);
      stop_something();
      wait_synced(replica(), master());
      EXPECT_TRUE(has_lost_old_dataset(replica()));
      EXPECT_TRUE(equal(master(), replica()));
      turn(replica(), {"REPLICAOF", "NO", "ONE"});
      wait_export_gone(master());
    }
    EXPECT_EQ(master().info("stats", "total_forks"), "0");
  }
  void resume() { pause_at(replica(), "none"); }

 private:
  Server* master_ = nullptr;
  Server* replica_ = nullptr;
};
RDMASYNC_FOR_ONE_FABRIC(ReplicaofFaultsTest);

TEST_P(ReplicaofFaultsTest, MasterHangs) {
  in_every_state([&] {
    const auto asked = [&] { return replica().log().find("lost the master"); };
    const auto before = asked();
    ::kill(master().pid(), SIGSTOP);
    resume();
    wait_until("its silence is noticed", [&] {
      return asked() != before || status(replica(), "state") == "failed" ||
             status(replica(), "state") == "connecting";
    });
    ::kill(master().pid(), SIGCONT);
  });
}

/// For longer than its master waits.
TEST_P(ReplicaofFaultsTest, ReplicaHangs) {
  in_every_state([&] {
    ::kill(replica().pid(), SIGSTOP);
    wait_until("the master gives it up", [&] {
      return status(master(), "export_replicas") == "0" &&
             master().info("replication", "connected_slaves") == "0";
    });
    ::kill(replica().pid(), SIGCONT);
    resume();
  });
}

TEST_P(ReplicaofFaultsTest, ReplicaKilled) {
  in_every_state([&] {
    replica().kill();
    replica().start();
    fill_old_dataset(replica());
    turn(replica(), {"REPLICAOF", master().host(), std::to_string(master().port())});
  });
}

/// Nothing that is written meanwhile is lost, or written twice.
TEST_P(ReplicaofFaultsTest, ConnectionsAreCut) {
  for (const char* type : {"normal", "replica"}) {
    SCOPED_TRACE(type);
    in_every_state([&] {
      Client writer = master().connect();
      const auto write = [&](int count) {
        for (int i = 0; i < count; i++) {
          writer.must("INCR", "counter");
          writer.must("RPUSH", "all", i);
        }
      };
      constexpr int kSome = 50;
      write(kSome);
      writer.must("CLIENT", "KILL", "TYPE", type);
      write(kSome);
      resume();
      write(kSome);
    });
  }
}

}  // namespace
}  // namespace rdmasync::test

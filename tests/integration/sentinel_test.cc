// A real Sentinel, which knows nothing of the module.

#include "harness/sync_test.h"
#include "tests/commands/writers.h"
#include "tests/support/dataset.h"

namespace rdmasync::test {
namespace {

class SentinelTest : public FabricTest {
 protected:
  Server& start_sentinel(const Server& master) {
    const std::string name = "sentinel ";
    return start_server("sentinel",
                        {.config = {name + "monitor group " + master.host() + " " +
                                        std::to_string(master.port()) + " 1",
                                    // A busy machine may take longer than a second to answer.
                                    name + "down-after-milliseconds group 5000",
                                    name + "failover-timeout group 3000"},
                         .load_module = false,
                         .load_testtype = false,
                         .arguments = {"--sentinel"}});
  }

  static void wait_knows_replica(Server& sentinel) {
    wait_until("Sentinel knows the replica",
               [&] { return sentinel.must("SENTINEL", "REPLICAS", "group").elements.size() == 1; });
  }

  /// Sentinel ends all connections of a server whose role it has changed.
  static void wait_role(const Server& server, const std::string& role) {
    wait_until(server.name() + " is a " + role, [&] {
      try {
        return server.connect().info("replication").at("role") == role;
      } catch (const ConnectionLost&) {
        return false;
      }
    });
  }
};
RDMASYNC_FOR_EACH_FABRIC(SentinelTest);

/// The old master comes back empty, under another history, and Sentinel makes it a replica.
TEST_P(SentinelTest, FailoverAndTheOldMasterComesBack) {
  Server& first = start_server("first", with_fabric());
  Server& second = start_server("second", with_fabric());
  fill_dataset(first, {.large_values = 2});
  second.must("REPLICAOF", first.host(), first.port());
  wait_synced(second, first);
  Server& sentinel = start_sentinel(first);
  wait_knows_replica(sentinel);

  Server* master = &first;
  Server* replica = &second;
  constexpr int kRounds = 2;
  for (int round = 0; round < kRounds; round++) {
    SCOPED_TRACE(round);
    master->kill();
    wait_role(*replica, "master");
    std::swap(master, replica);
    master->must("SET", "round", round);
    replica->start();
    Writers writers(*master, round);
    wait_role(*replica, "slave");
    wait_synced(*replica, *master);
    writers.stop();
    EXPECT_TRUE(equal(*master, *replica));
    EXPECT_EQ(master->info("stats", "total_forks"), "0");
    EXPECT_EQ(status(*replica, "syncs_ok"), "1");
    wait_knows_replica(sentinel);
  }
}

/// Sentinel turns a replica back to its master, and does nothing in the meantime that ends its
/// sync.
TEST_P(SentinelTest, ASyncOutlastsTheFailoverTimeout) {
  Server& first = start_server("first", with_fabric({.config = {"repl-backlog-size 16kb"}}));
  Server& second = start_server("second", with_fabric());
  fill_dataset(first, {.large_values = 2});
  second.must("REPLICAOF", first.host(), first.port());
  wait_synced(second, first);
  Server& sentinel = start_sentinel(first);
  wait_knows_replica(sentinel);

  pause_at(second, "pulling");
  second.must("REPLICAOF", "127.0.0.1", 1);  // nobody is there
  for (int i = 0; i < 100; i++) {
    first.must("SET", "meanwhile", random_bytes(i, 1000));
  }
  wait_until("Sentinel has turned it back", [&] {
    try {
      return status(second, "state") == "pulling";
    } catch (const ConnectionLost&) {  // which Sentinel ends with that
      return false;
    }
  });
  EXPECT_EQ(second.info("replication", "master_port"), std::to_string(first.port()));
  const auto a_replica_for_ms = [&] {
    const Reply fields = sentinel.must("SENTINEL", "REPLICAS", "group").elements.at(0);
    for (std::size_t i = 0; i + 1 < fields.elements.size(); i += 2) {
      if (fields.elements[i].text == "role-reported-time") {
        return std::stoi(fields.elements[i + 1].text);
      }
    }
    throw std::runtime_error("Sentinel does not tell since when");
  };
  constexpr int kTwiceTheTimeoutMs = 6000;
  const int until = a_replica_for_ms() + kTwiceTheTimeoutMs;
  wait_until("Sentinel has waited for long", [&] { return a_replica_for_ms() > until; });
  EXPECT_EQ(status(second, "state"), "pulling");
  pause_at(second, "none");
  wait_synced(second, first);
  EXPECT_TRUE(equal(first, second));
  EXPECT_EQ(status(second, "syncs_failed"), "0") << status(second, "last_sync_error");
  EXPECT_EQ(first.info("stats", "total_forks"), "0");
}

}  // namespace
}  // namespace rdmasync::test

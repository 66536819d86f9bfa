// More than two servers, and what an ordinary replica does after the sync.

#include "harness/sync_test.h"
#include "tests/commands/writers.h"
#include "tests/support/dataset.h"

namespace rdmasync::test {
namespace {

class TopologyTest : public FabricTest {};
RDMASYNC_FOR_EACH_FABRIC(TopologyTest);

TEST_P(TopologyTest, SubReplicaFollows) {
  allow_native_full_syncs(2);
  Server& master = start_master();
  Server& replica = start_replica({.config = {"repl-diskless-sync-delay 0"}});
  Server& early = start_server("early-sub-replica", with_fabric());
  Server& late = start_server("late-sub-replica", with_fabric());
  fill_dataset(master);
  fill_old_dataset(replica);
  early.must("REPLICAOF", replica.host(), replica.port());
  wait_link_up(early, replica);
  ASSERT_TRUE(has_old_dataset(early));
  slaveof(replica, master);
  wait_synced(replica, master);
  late.must("REPLICAOF", replica.host(), replica.port());
  wait_link_up(late, replica);
  wait_link_up(early, replica);
  master.must("SET", "after", "the sync");
  wait_offsets_equal(master, replica);
  EXPECT_TRUE(equal(master, replica));
  EXPECT_TRUE(equal(master, early));
  EXPECT_TRUE(equal(master, late));
}

TEST_P(TopologyTest, ThreeReplicasShareOneExport) {
  Server& master = start_master({.config = {"rdmasync.join-window 3000"}});
  fill_dataset(master);
  Writers writers(master, 3);
  std::vector<Server*> replicas;
  for (const char* name : {"replica-1", "replica-2", "replica-3"}) {
    replicas.push_back(&start_server(name, with_fabric()));
  }
  for (Server* replica : replicas) {
    slaveof(*replica, master);
  }
  for (Server* replica : replicas) {
    wait_synced(*replica, master);
  }
  writers.stop();
  EXPECT_EQ(status(master, "exports"), "1");
  for (Server* replica : replicas) {
    EXPECT_TRUE(equal(master, *replica));
  }
  EXPECT_EQ(master.info("replication", "connected_slaves"), "3");
  EXPECT_EQ(master.info("stats", "total_forks"), "0");
  wait_export_gone(master);
}

/// One that comes too late for the export under way gets its own, and neither waits for the other.
TEST_P(TopologyTest, LateReplicaGetsAnExportOfItsOwn) {
  Server& master = start_master({.config = {"rdmasync.join-window 0"}});
  Server& slow = start_server("slow-replica", with_fabric());
  Server& quick = start_server("quick-replica", with_fabric());
  fill_dataset(master);
  pause_at(slow, "cutting");
  slaveof(slow, master);
  wait_state(slow, "cutting");
  slaveof(quick, master);
  wait_synced(quick, master);
  EXPECT_EQ(status(master, "exports"), "2");
  EXPECT_TRUE(equal(master, quick));
  master.must("SET", "large:0", "no longer");
  pause_at(slow, "none");
  wait_synced(slow, master);
  EXPECT_TRUE(equal(master, slow));
  EXPECT_TRUE(equal(master, quick));
}

/// A stopped process holds its connections open and reads nothing.
TEST_P(TopologyTest, StalledReplicaIsDroppedAndHoldsNobody) {
  Server& master =
      start_master({.config = {"rdmasync.join-window 3000", "rdmasync.replica-timeout 2",
                               "rdmasync.export-memory 4mb"}});
  Server& stalled = start_server("stalled-replica", with_fabric());
  Server& well = start_server("well-replica", with_fabric());
  // An emulated machine needs long for the digest of many keys.
  fill_dataset(master, fabric() == "verbs" ? DatasetOptions{.small_keys = 10000}
                                           : DatasetOptions{.small_keys = 100000});
  pause_at(stalled, "pulling");
  slaveof(stalled, master);
  slaveof(well, master);
  wait_state(stalled, "pulling");
  wait_synced(well, master);
  EXPECT_TRUE(equal(master, well));
  wait_export_gone(master);
  pause_at(stalled, "none");
  wait_synced(stalled, master);  // by the retry
  EXPECT_TRUE(equal(master, stalled));
}

TEST_P(TopologyTest, MasterAndReplicaChangePlaces) {
  Server& first = start_server("first", with_fabric());
  Server& second = start_server("second", with_fabric());
  fill_dataset(first);
  slaveof(second, first);
  wait_synced(second, first);
  second.must("REPLICAOF", "NO", "ONE");
  second.must("SET", "written", "after the failover");
  slaveof(first, second);
  wait_synced(first, second);
  EXPECT_TRUE(equal(second, first));
  EXPECT_EQ(first.must("GET", "written").text, "after the failover");
}

TEST_P(TopologyTest, PromotionKeepsTheReplicationIdForPartialResync) {
  Server& first = start_server("first", with_fabric());
  Server& second = start_server("second", with_fabric());
  fill_dataset(first);
  slaveof(second, first);
  wait_synced(second, first);
  const std::string id = first.info("replication", "master_replid");
  EXPECT_EQ(second.info("replication", "master_replid"), id);
  wait_offsets_equal(first, second);
  second.must("REPLICAOF", "NO", "ONE");
  EXPECT_EQ(second.info("replication", "master_replid2"), id);
  // Natively, and without a full sync: both know the same history.
  first.must("REPLICAOF", second.host(), second.port());
  wait_link_up(first, second);
  EXPECT_EQ(second.info("stats", "sync_full"), "0");
  EXPECT_TRUE(equal(second, first));
}

TEST_P(TopologyTest, ReconnectAfterTheSyncIsPartial) {
  Server& master = start_master();
  Server& replica = start_replica();
  fill_dataset(master);
  slaveof(replica, master);
  wait_synced(replica, master);
  const std::string full = master.info("stats", "sync_full");
  const long long partial = std::stoll(master.info("stats", "sync_partial_ok"));
  master.must("CLIENT", "KILL", "TYPE", "replica");
  wait_until("the replica has come back", [&] {
    return std::stoll(master.info("stats", "sync_partial_ok")) > partial &&
           replica.info("replication", "master_link_status") == "up";
  });
  EXPECT_EQ(master.info("stats", "sync_full"), full);
  EXPECT_TRUE(equal(master, replica));
}

TEST_P(TopologyTest, WaitCountsTheReplica) {
  Server& master = start_master();
  Server& replica = start_replica();
  slaveof(replica, master);
  wait_synced(replica, master);
  Client client = master.connect();
  client.must("SET", "k", "v");
  constexpr int kLimitMs = 60000;
  EXPECT_EQ(client.must("WAIT", 1, kLimitMs).number, 1);
  EXPECT_EQ(replica.must("GET", "k").text, "v");
}

TEST_P(TopologyTest, NativeReplicaofStillWorksAfterwards) {
  Server& master = start_master();
  Server& replica = start_replica();
  Server& other = start_server(
      "other", with_fabric({.config = {"repl-diskless-sync-delay 0", "rdmasync.accelerate no"}}));
  fill_dataset(master);
  fill_dataset(other, {.small_keys = 10, .large_values = 1});
  slaveof(replica, master);
  wait_synced(replica, master);
  replica.must("REPLICAOF", other.host(), other.port());
  wait_link_up(replica, other);
  EXPECT_TRUE(equal(other, replica));
  EXPECT_NE(status(replica, "state"), "synced");
  replica.must("REPLICAOF", "NO", "ONE");
  EXPECT_EQ(replica.must("SET", "own", "write").describe(), "+OK");
}

TEST_P(TopologyTest, NativeReplicaofCancelsTheSync) {
  for (const char* state : {"attaching", "pulling", "cutting", "loading", "continuing"}) {
    SCOPED_TRACE(state);
    Server& master = start_master();
    Server& replica = start_replica();
    Server& other = start_server(
        "other", with_fabric({.config = {"repl-diskless-sync-delay 0", "rdmasync.accelerate no"}}));
    fill_dataset(master);
    fill_dataset(other, {.small_keys = 10, .large_values = 1});
    fill_old_dataset(replica);
    pause_at(replica, state);
    slaveof(replica, master);
    wait_state(replica, state);
    turn(replica, {"REPLICAOF", other.host(), std::to_string(other.port())});
    pause_at(replica, "none");
    wait_state(replica, "idle");
    wait_link_up(replica, other);
    EXPECT_TRUE(equal(other, replica));
    wait_export_gone(master);
    EXPECT_EQ(replica.info("replication", "master_port"), std::to_string(other.port()));
  }
}

}  // namespace
}  // namespace rdmasync::test

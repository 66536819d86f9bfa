// The load of the copy: beside the old dataset, which stays until the copy takes its place; and
// what becomes of a server whose sync ends there.

#include "harness/sync_test.h"
#include "tests/support/dataset.h"

namespace rdmasync::test {
namespace {

class LoadTest : public FabricTest {
 protected:
  /// A native replica with the old dataset, whose sync is held in the moment when it has turned to
  /// another master, just before the load.
  Server& start_held_replica(Server& old_master, Server& master) {
    fill_old_dataset(old_master);
    Server& replica = start_replica();
    replica.must("REPLICAOF", old_master.host(), old_master.port());
    wait_link_up(replica, old_master);
    fill_dataset(master, {.small_keys = 100, .large_values = 1});
    pause_at(replica, "waiting");
    slaveof(replica, master);
    wait_state(replica, "waiting");
    EXPECT_EQ(replica.info("replication", "master_port"), std::to_string(master.port()));
    EXPECT_TRUE(has_old_dataset(replica));
    return replica;
  }
  Server& start_old_master() {
    return start_server("old-master", with_fabric({.config = {"repl-diskless-sync-delay 0"}}));
  }
  static void resume(Server& replica) { pause_at(replica, "none"); }
};
RDMASYNC_FOR_EACH_FABRIC(LoadTest);

TEST_P(LoadTest, ValuesEnterInPlaceBesideAnOldDataset) {
  Server& master = start_master();
  Server& replica = start_replica();
  fill_old_dataset(replica);
  master.must("SET", "direct", random_bytes(1, 4 << 20), "PX", 1'000'000);
  slaveof(replica, master);
  wait_synced(replica, master);
  const Reply linked = replica.must("RDMASYNC.DEBUG", "LINKED", "direct");
  ASSERT_FALSE(linked.is_nil());
  if (takes_strings_as_they_are(replica)) {
    EXPECT_EQ(linked.text, replica.must("RDMASYNC.DEBUG", "POINTER", "direct").text);
  }
  EXPECT_TRUE(has_lost_old_dataset(replica));
  EXPECT_TRUE(equal(master, replica));
}

/// What is known before the load: the copy is there, and the old master is followed still.
TEST_P(LoadTest, TheOldMasterStaysUntilTheCopyIsThere) {
  Server& old_master = start_old_master();
  Server& master = start_master();
  Server& replica = start_replica();
  fill_dataset(old_master, {.small_keys = 100, .large_values = 1});
  fill_dataset(master, {.small_keys = 100, .large_values = 1});
  replica.must("REPLICAOF", old_master.host(), old_master.port());
  wait_synced(replica, old_master);
  pause_at(replica, "cutting");
  slaveof(replica, master);
  wait_state(replica, "cutting");
  EXPECT_EQ(replica.info("replication", "master_port"), std::to_string(old_master.port()));
  old_master.must("SET", "still", "followed");
  EXPECT_EQ(old_master.must("WAIT", 1, 5000).number, 1);
  EXPECT_EQ(replica.must("GET", "still").text, "followed");
  resume(replica);
  wait_synced(replica, master);
  EXPECT_TRUE(equal(master, replica));
}

/// The same master by another name: this server has the stream already, up to a command or two, and
/// goes on from there, without the copy.
TEST_P(LoadTest, AServerThatCanContinueDoes) {
  Server& master = start_master();
  fill_dataset(master, {.small_keys = 1000, .large_values = 1});
  Server& replica = start_replica();
  slaveof(replica, master);
  wait_synced(replica, master);
  const std::string partial = master.info("stats", "sync_partial_ok");
  replica.must("RDMASYNC.SLAVEOF", "localhost", master.port());
  wait_until("it follows the other name",
             [&] { return replica.info("replication", "master_host") == "localhost"; });
  wait_synced(replica, master);
  EXPECT_NE(master.info("stats", "sync_partial_ok"), partial);
  EXPECT_TRUE(equal(master, replica));
}

TEST_P(LoadTest, NoOneEndsASyncForGood) {
  Server& old_master = start_old_master();
  Server& master = start_master();
  Server& replica = start_held_replica(old_master, master);
  slaveof_no_one(replica);
  resume(replica);
  wait_settled(replica);
  EXPECT_EQ(replica.info("replication", "role"), "master");
  EXPECT_TRUE(has_old_dataset(replica));
  wait_state(replica, "idle");
  wait_export_gone(master);
}

TEST_P(LoadTest, ReplicaofInsteadOfTheLoadIsNotUndone) {
  Server& old_master = start_old_master();
  Server& master = start_master();
  Server& other = start_server("other", with_fabric({.config = {"repl-diskless-sync-delay 0"}}));
  fill_dataset(other, {.small_keys = 10, .large_values = 1});
  Server& replica = start_held_replica(old_master, master);
  replica.must("REPLICAOF", other.host(), other.port());
  resume(replica);
  wait_settled(replica);
  EXPECT_EQ(replica.info("replication", "master_port"), std::to_string(other.port()));
  wait_link_up(replica, other);
  EXPECT_TRUE(equal(other, replica));
}

/// What cannot be loaded costs neither the old dataset nor the old master.
TEST_P(LoadTest, MasterWithTypesThatAreNotKnownHere) {
  Server& old_master = start_old_master();
  Server& master = start_master();
  fill_old_dataset(old_master);
  fill_dataset(master, {.small_keys = 100, .large_values = 1});
  Server& replica =
      start_replica({.config = {"enable-module-command yes"}, .load_testtype = false});
  replica.must("REPLICAOF", old_master.host(), old_master.port());
  wait_link_up(replica, old_master);
  slaveof(replica, master);
  EXPECT_TRUE(mentions(wait_error(replica), "modules that are not loaded here: testtype"));
  wait_settled(replica);
  wait_link_up(replica, old_master);
  EXPECT_TRUE(has_old_dataset(replica));
  EXPECT_EQ(old_master.info("stats", "sync_full"), "1");
  wait_settled(replica);
  replica.must("MODULE", "LOAD", testtype_path());
  wait_synced(replica, master);  // by the retry
  EXPECT_TRUE(equal(master, replica));
}

}  // namespace
}  // namespace rdmasync::test

// The load of the copy: beside the old dataset, which stays, and is served, until the copy takes
// its place; and what becomes of a server whose sync ends there.

#include <atomic>
#include <cstdlib>
#include <set>
#include <thread>

#include "dataset.h"
#include "harness/sync_test.h"

namespace rdmasync::test {
namespace {

class LoadTest : public FabricTest {
 protected:
  /// A native replica with the old dataset, whose sync is held in the moment when it follows
  /// itself, just before the load.
  Server& start_held_replica(Server& old_master, Server& master) {
    fill_old_dataset(old_master);
    Server& replica = start_replica();
    replica.must("REPLICAOF", old_master.host(), old_master.port());
    wait_link_up(replica, old_master);
    fill_dataset(master, {.small_keys = 100, .large_values = 1});
    pause_at(replica, "loading");
    slaveof(replica, master);
    wait_state(replica, "loading");
    EXPECT_NE(replica.info("replication", "master_port"), std::to_string(old_master.port()));
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

TEST_P(LoadTest, ABrokenLoadKeepsTheOldDataset) {
  Server& master = start_master();
  fill_dataset(master, {.small_keys = 20000, .large_values = 1});
  Server& replica = start_slow_replica();
  fill_old_dataset(replica);
  pause_at(replica, "pulling");
  slaveof(replica, master);
  wait_state(replica, "pulling");
  // This sync goes on; the one after it waits until what this one leaves was looked at.
  pause_at(replica, "connecting");
  wait_loading(replica);
  const std::string port = replica.info("replication", "master_port");
  ASSERT_NE(port, std::to_string(master.port())) << "too late: it is loaded";
  const std::string kill = "ss --kill --tcp dport = :" + port + " >/dev/null";
  ASSERT_EQ(std::system(kill.c_str()), 0);
  EXPECT_TRUE(mentions(wait_error(replica), "broke off loading"));
  wait_settled(replica);
  EXPECT_TRUE(has_old_dataset(replica));
  EXPECT_EQ(replica.info("replication", "role"), "master");
  replica.must("CONFIG", "SET", "key-load-delay", 0);
  resume(replica);
  wait_synced(replica, master);  // by the retry
  EXPECT_TRUE(has_lost_old_dataset(replica));
  EXPECT_TRUE(equal(master, replica));
}

/// The new dataset is of the same history as the old one, so Redis goes on serving that.
TEST_P(LoadTest, AReplicaThatSyncsAgainServesAllTheTime) {
  Server& master = start_master();
  fill_dataset(master, {.small_keys = 10000, .large_values = 1});
  master.must("SET", "always", "there");
  Server& replica = start_replica({.config = {"loading-process-events-interval-bytes 1024"}});
  slaveof(replica, master);
  wait_synced(replica, master);
  replica.must("CONFIG", "SET", "key-load-delay", 300);

  std::set<std::string> answers;
  std::atomic<bool> stopping{false};
  std::thread asker([&, client = replica.connect()]() mutable {
    while (!stopping) {
      answers.insert(client.run({"GET", "always"}).describe());
    }
  });
  // Another name, for it would not sync again with the master that it follows.
  replica.must("RDMASYNC.SLAVEOF", "localhost", master.port());
  wait_loading(replica, 2);
  EXPECT_EQ(replica.info("persistence", "async_loading"), "1") << "too late: it is loaded";
  const Reply refused = replica.command("RDMASYNC.SLAVEOF", "NO", "ONE");
  EXPECT_TRUE(refused.is_error() && mentions(refused.text, "loads a dataset"));
  wait_synced(replica, master);
  stopping = true;
  asker.join();
  EXPECT_EQ(answers, std::set<std::string>{replica.must("GET", "always").describe()});
  EXPECT_EQ(replica.info("replication", "master_host"), "localhost");
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

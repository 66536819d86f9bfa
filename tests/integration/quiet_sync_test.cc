// A sync of a master that is at rest: what arrives, and what it costs the master.

#include "harness/sync_test.h"
#include "tests/support/dataset.h"

namespace rdmasync::test {
namespace {

class QuietSyncTest : public FabricTest {};
RDMASYNC_FOR_EACH_FABRIC(QuietSyncTest);

bool has_rdb_file(const Server& server) {
  for (const auto& file : std::filesystem::directory_iterator(server.directory())) {
    if (file.path().extension() == ".rdb") {
      return true;
    }
  }
  return false;
}

TEST_P(QuietSyncTest, EverythingArrives) {
  Server& master = start_master();
  Server& replica = start_replica();
  fill_dataset(master);
  slaveof(replica, master);
  wait_synced(replica, master);
  EXPECT_TRUE(equal(master, replica, {.exact = true}));
  EXPECT_EQ(status(replica, "fabric"), fabric());
  EXPECT_EQ(status(replica, "syncs_ok"), "1");
  EXPECT_EQ(status(replica, "syncs_failed"), "0") << status(replica, "last_sync_error");
}

class EmptyHashTest : public FabricTest {};
RDMASYNC_FOR_ONE_FABRIC(EmptyHashTest);

/// In Valkey 9.1 a copy of one that has expired field by field is a hash of none.
TEST_P(EmptyHashTest, IsNone) {
  Server& master = start_master();
  Server& replica = start_replica();
  fill_dataset(master);
  master.must("DEBUG", "SET-ACTIVE-EXPIRE", 0);
  master.must("HSET", "expired", "field", "value");
  if (master.command("HPEXPIREAT", "expired", 1, "FIELDS", 1, "field").is_error()) {
    GTEST_SKIP() << "this server has no time for fields";
  }
  master.must("HSET", "expired", "field", "value");
  master.must("HPEXPIRE", "expired", 1, "FIELDS", 1, "field");
  wait_until("it has expired", [&] { return master.must("HGET", "expired", "field").is_nil(); });
  master.must("COPY", "expired", "empty");
  if (master.must("EXISTS", "empty").number == 0) {
    GTEST_SKIP() << "this server makes none";
  }
  slaveof(replica, master);
  wait_synced(replica, master);
  EXPECT_EQ(replica.must("EXISTS", "empty").number, 0);
  master.must("DEL", "empty");
  EXPECT_TRUE(equal(master, replica));
}

TEST_P(QuietSyncTest, MasterNeitherForksNorWritesAnRdb) {
  Server& master = start_master();
  Server& replica = start_replica();
  fill_dataset(master);
  const std::string last_save = master.info("persistence", "rdb_last_save_time");
  slaveof(replica, master);
  wait_synced(replica, master);
  EXPECT_EQ(master.info("stats", "total_forks"), "0");
  EXPECT_EQ(master.info("persistence", "rdb_last_save_time"), last_save);
  EXPECT_FALSE(has_rdb_file(master));
  EXPECT_EQ(master.info("stats", "sync_partial_ok"), "1");
  EXPECT_EQ(replica.info("stats", "total_forks"), "0");
  EXPECT_FALSE(has_rdb_file(replica));
}

TEST_P(QuietSyncTest, MasterWithABacklogNeedsNoPriming) {
  allow_native_full_syncs(1);
  Server& master = start_master();
  Server& native = start_server("native-replica", with_fabric());
  Server& replica = start_replica();
  master.must("CONFIG", "SET", "repl-diskless-sync-delay", 0);
  fill_dataset(master);
  native.must("REPLICAOF", master.host(), master.port());
  wait_until("the native link is up",
             [&] { return native.info("replication", "master_link_status") == "up"; });
  const std::string replication_id = master.info("replication", "master_replid");
  const std::string full_syncs = master.info("stats", "sync_full");
  slaveof(replica, master);
  wait_synced(replica, master);
  EXPECT_EQ(master.info("stats", "sync_full"), full_syncs);
  EXPECT_EQ(master.info("replication", "master_replid"), replication_id);
  EXPECT_TRUE(equal(master, replica));
  EXPECT_TRUE(equal(master, native));
}

TEST_P(QuietSyncTest, EmptyMasterEmptiesTheReplica) {
  Server& master = start_master();
  Server& replica = start_replica();
  fill_old_dataset(replica);
  slaveof(replica, master);
  wait_synced(replica, master);
  EXPECT_TRUE(has_lost_old_dataset(replica));
  EXPECT_TRUE(equal(master, replica));
}

TEST_P(QuietSyncTest, OldDatasetIsReplaced) {
  Server& master = start_master();
  Server& replica = start_replica();
  fill_dataset(master);
  fill_old_dataset(replica);
  replica.must("FUNCTION", "LOAD",
               "#!lua name=oldlib\nredis.register_function('old', function() return 1 end)");
  replica.must("SET", "string:int", "old value of a key that the master has");
  slaveof(replica, master);
  wait_synced(replica, master);
  EXPECT_TRUE(has_lost_old_dataset(replica));
  EXPECT_TRUE(equal(master, replica, {.exact = true}));
}

TEST_P(QuietSyncTest, FunctionDumpIsTheSame) {
  Server& master = start_master();
  Server& replica = start_replica();
  master.must("FUNCTION", "LOAD",
              "#!lua name=only\nredis.register_function('f', function(keys, args)\n"
              "  return redis.call('SET', keys[1], args[1]) end)");
  slaveof(replica, master);
  wait_synced(replica, master);
  EXPECT_EQ(master.must("FUNCTION", "DUMP").text, replica.must("FUNCTION", "DUMP").text);
  master.must("FCALL", "f", 1, "by-function", "v");
  wait_offsets_equal(master, replica);
  EXPECT_EQ(replica.must("GET", "by-function").text, "v");
}

TEST_P(QuietSyncTest, LaterWritesReachTheirDatabase) {
  Server& master = start_master();
  Server& replica = start_replica();
  fill_dataset(master, {.large_values = 1});
  Client writer = master.connect();
  writer.must("SELECT", 5);
  writer.must("SET", "before", "sync");
  slaveof(replica, master);
  wait_synced(replica, master);
  // The stream's database is still 5 for the master, and the new replica has seen no SELECT.
  writer.must("SET", "after", "sync");
  EXPECT_TRUE(equal(master, replica));
  Client reader = replica.connect();
  reader.must("SELECT", 5);
  EXPECT_EQ(reader.must("GET", "after").text, "sync");
}

TEST_P(QuietSyncTest, DatasetMuchLargerThanTheLog) {
  Server& master = start_master({.config = {"rdmasync.export-memory 4mb"}});
  Server& replica = start_replica();
  // An emulated machine needs minutes for the digest of as many.
  const int small_keys = fabric() == "verbs" ? 10000 : 200000;
  fill_dataset(master, {.small_keys = small_keys, .large_values = 0});
  {
    Client client = master.connect();
    Pipeline pipeline(client);
    constexpr int kMedium = 1000;
    for (int i = 0; i < kMedium; i++) {
      pipeline.add("SET", "medium:" + std::to_string(i), random_bytes(i, 40000));
    }
    pipeline.finish();
  }
  slaveof(replica, master);
  wait_synced(replica, master);
  EXPECT_TRUE(equal(master, replica));
  EXPECT_GT(status_number(master, "export_ring_bytes"), 40LL << 20);
}

TEST_P(QuietSyncTest, ValuesLargerThanTheLogAndThePinnedMemory) {
  Server& master =
      start_master({.config = {"rdmasync.export-memory 4mb", "rdmasync.pinned-memory 16mb"}});
  Server& replica = start_replica({.config = {"rdmasync.pinned-memory 16mb"}});
  {
    Client client = master.connect();
    Pipeline pipeline(client);
    pipeline.add("SET", "string", random_bytes(1, 40 << 20));
    constexpr int kFields = 300;
    for (int i = 0; i < kFields; i++) {
      pipeline.add("HSET", "hash", i, random_bytes(i, 60000));
      pipeline.add("RPUSH", "list", random_bytes(i, 60000));
    }
    pipeline.add("TESTTYPE.SET", "testtype", random_bytes(2, 20 << 20));
    pipeline.finish();
  }
  slaveof(replica, master);
  wait_synced(replica, master);
  EXPECT_TRUE(equal(master, replica));
}

TEST_P(QuietSyncTest, SyncAgainFromTheSameMaster) {
  Server& master = start_master();
  Server& replica = start_replica();
  fill_dataset(master);
  for (int round = 1; round <= 3; round++) {
    slaveof(replica, master);
    wait_synced(replica, master);
    ASSERT_TRUE(equal(master, replica));
    EXPECT_EQ(status(replica, "syncs_ok"), std::to_string(round));
    slaveof_no_one(replica);
    replica.must("SET", "own", round);
    master.must("SET", "round", round);
  }
  wait_export_gone(master);
}

}  // namespace
}  // namespace rdmasync::test

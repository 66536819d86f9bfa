// The replica's own persistence, and Redis's settings that a sync meets on the way.

#include "harness/sync_test.h"
#include "tests/support/dataset.h"

namespace rdmasync::test {
namespace {

class PersistenceTest : public FabricTest {};
RDMASYNC_FOR_EACH_FABRIC(PersistenceTest);

TEST_P(PersistenceTest, AppendonlyReplicaRestarts) {
  Server& master = start_master();
  Server& replica = start_replica({.config = {"appendonly yes"}});
  fill_dataset(master);
  fill_old_dataset(replica);
  slaveof(replica, master);
  wait_synced(replica, master);
  master.must("SET", "after", "the sync");
  wait_until("the AOF is rewritten after the sync", [&] {
    const auto fields = replica.info("persistence");
    return fields.at("aof_rewrite_in_progress") == "0" &&
           fields.at("aof_rewrite_scheduled") == "0" &&
           fields.at("aof_last_bgrewrite_status") == "ok";
  });
  wait_short_lived_gone(master);
  ASSERT_TRUE(equal(master, replica));
  const std::string expected = digest(replica);
  EXPECT_TRUE(replica.stop());
  replica.start();
  EXPECT_EQ(digest(replica), expected);
  EXPECT_EQ(replica.must("GET", "after").text, "the sync");
}

TEST_P(PersistenceTest, AppendonlyReplicaRestartsAfterACrash) {
  Server& master = start_master();
  Server& replica = start_replica({.config = {"appendonly yes", "appendfsync always"}});
  fill_dataset(master);
  slaveof(replica, master);
  wait_synced(replica, master);
  wait_until("the AOF is rewritten after the sync", [&] {
    const auto fields = replica.info("persistence");
    return fields.at("aof_rewrite_in_progress") == "0" && fields.at("aof_rewrite_scheduled") == "0";
  });
  wait_short_lived_gone(master);
  ASSERT_TRUE(equal(master, replica));
  const std::string expected = digest(replica);
  replica.kill();
  replica.start();
  EXPECT_EQ(digest(replica), expected);
}

TEST_P(PersistenceTest, DefaultConfigurationLeavesNoStub) {
  Server& master = start_master({.snapshots = true});
  Server& replica = start_replica({.snapshots = true});
  fill_dataset(master);
  fill_old_dataset(replica);
  slaveof(replica, master);
  wait_synced(replica, master);
  EXPECT_FALSE(std::filesystem::exists(replica.directory() / "dump.rdb"));
  EXPECT_FALSE(std::filesystem::exists(master.directory() / "dump.rdb"));
  wait_short_lived_gone(master);
  ASSERT_TRUE(equal(master, replica));
  const std::string expected = digest(replica);
  replica.must("SAVE");
  replica.kill();
  replica.start();
  EXPECT_EQ(digest(replica), expected);
}

TEST_P(PersistenceTest, ReplicaKeepsItsOldSnapshotUntilItHasANewOne) {
  Server& master = start_master();
  Server& replica = start_replica();
  fill_dataset(master);
  fill_old_dataset(replica);
  replica.must("SAVE");
  slaveof(replica, master);
  wait_synced(replica, master);
  replica.kill();
  replica.start();
  EXPECT_TRUE(has_old_dataset(replica)) << "dump.rdb is not what SAVE had written";
}

TEST_P(PersistenceTest, SettingsOfTheReplicaAreRestored) {
  for (const char* mode : {"disabled", "on-empty-db", "swapdb"}) {
    SCOPED_TRACE(mode);
    Server& master = start_master({.config = {"requirepass secret"}, .password = "secret"});
    Server& replica =
        start_replica({.config = {std::string("repl-diskless-load ") + mode, "masterauth secret"}});
    fill_dataset(master);
    fill_old_dataset(replica);
    slaveof(replica, master);
    wait_synced(replica, master);
    EXPECT_EQ(replica.config("repl-diskless-load"), mode);
    EXPECT_EQ(replica.config("masterauth"), "secret");
    EXPECT_FALSE(std::filesystem::exists(replica.directory() / "dump.rdb"));
    EXPECT_TRUE(has_lost_old_dataset(replica));
    EXPECT_TRUE(equal(master, replica));
  }
}

TEST_P(PersistenceTest, SettingsOfTheMasterAreRestored) {
  struct Settings {
    const char* diskless;
    const char* delay;
  };
  for (const Settings settings : {Settings{"no", "5"}, {"yes", "0"}, {"no", "0"}, {"yes", "7"}}) {
    SCOPED_TRACE(std::string(settings.diskless) + " " + settings.delay);
    Server& master =
        start_master({.config = {std::string("repl-diskless-sync ") + settings.diskless,
                                 std::string("repl-diskless-sync-delay ") + settings.delay}});
    Server& replica = start_replica();
    fill_dataset(master, {.small_keys = 100, .large_values = 1});
    slaveof(replica, master);
    wait_synced(replica, master);
    EXPECT_EQ(master.config("repl-diskless-sync"), settings.diskless);
    EXPECT_EQ(master.config("repl-diskless-sync-delay"), settings.delay);
    EXPECT_EQ(master.info("stats", "total_forks"), "0");
    EXPECT_TRUE(equal(master, replica));
  }
}

/// A server loads beside its dataset, and without a file, only if every module says that it handles
/// what that may bring.
TEST_P(PersistenceTest, ModuleThatHandlesLess) {
  for (const std::string what : {"no-io-errors", "no-async-load"}) {
    SCOPED_TRACE(what);
    const ServerOptions options{.config = {"loadmodule " + testtype_path() + " " + what},
                                .load_testtype = false};
    Server& master = start_master(options);
    Server& replica = start_replica(options);
    fill_dataset(master);
    fill_old_dataset(replica);
    slaveof(replica, master);
    EXPECT_TRUE(mentions(wait_error(replica), "module testtype"));
    EXPECT_EQ(replica.info("replication", "role"), "master");
    EXPECT_TRUE(has_old_dataset(replica));
    EXPECT_FALSE(std::filesystem::exists(replica.directory() / "dump.rdb"));
    slaveof_no_one(replica);
  }
}

}  // namespace
}  // namespace rdmasync::test

// Configs, STATUS and INFO: the module's face to an operator.

#include <array>
#include <set>

#include "harness/sync_test.h"
#include "tests/support/dataset.h"

namespace rdmasync::test {
namespace {

class ConfigTest : public SyncTest {};

TEST_F(ConfigTest, Defaults) {
  Server& server = start_server("server");
  EXPECT_EQ(server.config("rdmasync.fabric"), "auto");
  EXPECT_EQ(server.config("rdmasync.export-memory"), std::to_string(64 << 20));
  EXPECT_EQ(server.config("rdmasync.direct-threshold"), std::to_string(64 << 10));
  EXPECT_EQ(server.config("rdmasync.part-elements"), "1024");
  EXPECT_EQ(server.config("rdmasync.pinned-memory"), std::to_string(256 << 20));
  EXPECT_EQ(server.config("rdmasync.slice-us"), "500");
  EXPECT_EQ(server.config("rdmasync.replica-timeout"), "60");
  EXPECT_EQ(server.config("rdmasync.join-window"), "100");
  EXPECT_EQ(server.config("rdmasync.max-rounds"), "8");
  EXPECT_EQ(server.config("rdmasync.cut-max-ms"), "1000");
  EXPECT_EQ(server.config("rdmasync.huge-pages"), "yes");
  EXPECT_EQ(server.config("rdmasync.accelerate"), "yes");
  EXPECT_EQ(server.config("rdmasync.slaveof"), "");
  EXPECT_EQ(server.must("CONFIG", "GET", "rdmasync.bind").elements.size(), 2U);
}

TEST_F(ConfigTest, ConfigSetWhileRunning) {
  Server& server = start_server("server");
  const std::vector<std::array<std::string, 3>> settings = {
      {"rdmasync.export-memory", "32mb", std::to_string(32 << 20)},
      {"rdmasync.direct-threshold", "128kb", std::to_string(128 << 10)},
      {"rdmasync.part-elements", "100", "100"},
      {"rdmasync.pinned-memory", "1gb", std::to_string(1 << 30)},
      {"rdmasync.slice-us", "250", "250"},
      {"rdmasync.replica-timeout", "5", "5"},
      {"rdmasync.join-window", "0", "0"},
      {"rdmasync.max-rounds", "3", "3"},
      {"rdmasync.cut-max-ms", "50", "50"},
      {"rdmasync.huge-pages", "no", "no"}};
  for (const auto& [name, value, stored] : settings) {
    EXPECT_EQ(server.command("CONFIG", "SET", name, value).describe(), "+OK") << name;
    EXPECT_EQ(server.config(name), stored) << name;
    EXPECT_TRUE(server.command("CONFIG", "SET", name, "nonsense").is_error()) << name;
    EXPECT_TRUE(server.command("CONFIG", "SET", name, "-1").is_error()) << name;
    EXPECT_EQ(server.config(name), stored) << name;
  }
  EXPECT_TRUE(server.command("CONFIG", "SET", "rdmasync.fabric", "nonsense").is_error());
}

TEST_F(ConfigTest, LoadmoduleLineAndRedisConf) {
  Server& server = start_server(
      "server", {.config = {"rdmasync.direct-threshold 16kb"},
                 .module_args = {"export-memory", "8mb", "fabric", "tcp", "slice-us", "100"}});
  EXPECT_EQ(server.config("rdmasync.export-memory"), std::to_string(8 << 20));
  EXPECT_EQ(server.config("rdmasync.fabric"), "tcp");
  EXPECT_EQ(server.config("rdmasync.slice-us"), "100");
  EXPECT_EQ(server.config("rdmasync.direct-threshold"), std::to_string(16 << 10));
}

TEST_F(ConfigTest, WrongLoadmoduleArgumentIsNamed) {
  try {
    start_server("server", {.module_args = {"no-such-config", "1"}});
    FAIL() << "the server has started";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("no-such-config"), std::string::npos) << error.what();
  }
}

class SlaveofConfigTest : public FabricTest {};
RDMASYNC_FOR_EACH_FABRIC(SlaveofConfigTest);

TEST_P(SlaveofConfigTest, SyncsAtStart) {
  Server& master = start_master();
  fill_dataset(master);
  Server& replica = start_replica({.config = {"rdmasync.slaveof \"" + master.host() + " " +
                                              std::to_string(master.port()) + "\""}});
  wait_synced(replica, master);
  EXPECT_TRUE(equal(master, replica));
  replica.kill();
  replica.start();
  wait_synced(replica, master);
  EXPECT_TRUE(equal(master, replica));
}

TEST_P(SlaveofConfigTest, WaitsForAMasterThatComesLater) {
  Server& master = start_master();
  master.kill();
  Server& replica = start_replica({.config = {"rdmasync.slaveof \"" + master.host() + " " +
                                              std::to_string(master.port()) + "\""}});
  wait_error(replica);
  master.start();
  fill_dataset(master, {.small_keys = 10, .large_values = 1});
  wait_synced(replica, master);
  EXPECT_TRUE(equal(master, replica));
}

/// Seen once: a server that was promoted lost what was written to it, as it followed its old master
/// again after a restart.
TEST_P(SlaveofConfigTest, IsForgottenOnceTheServerIsTurnedElsewhere) {
  Server& master = start_master();
  fill_dataset(master, {.small_keys = 10, .large_values = 1});
  Server& replica = start_replica({.config = {"rdmasync.slaveof \"" + master.host() + " " +
                                                  std::to_string(master.port()) + "\"",
                                              "save 3600 1"}});
  wait_synced(replica, master);
  replica.must("REPLICAOF", "NO", "ONE");
  EXPECT_EQ(replica.config("rdmasync.slaveof"), "");
  replica.must("CONFIG", "REWRITE");
  replica.must("SET", "own", "write");
  replica.must("SAVE");
  replica.kill();
  replica.start_as_rewritten();
  EXPECT_EQ(replica.info("replication", "role"), "master");
  EXPECT_EQ(replica.must("GET", "own").text, "write");
  EXPECT_EQ(replica.config("rdmasync.slaveof"), "");
}

class StatusTest : public FabricTest {};
RDMASYNC_FOR_EACH_FABRIC(StatusTest);

TEST_P(StatusTest, InfoHasTheSameFieldsAsStatus) {
  Server& master = start_master();
  Server& replica = start_replica();
  fill_dataset(master);
  slaveof(replica, master);
  wait_synced(replica, master);
  for (Server* server : {&master, &replica}) {
    std::set<std::string> in_info;
    for (const auto& [field, value] : server->info("rdmasync")) {
      EXPECT_TRUE(field.starts_with("rdmasync_")) << field;
      in_info.insert(field.substr(std::string("rdmasync_").size()));
    }
    std::set<std::string> in_status;
    for (const auto& [field, value] : status(*server)) {
      in_status.insert(field);
    }
    EXPECT_EQ(in_info, in_status);
    for (const char* field : {"role",
                              "state",
                              "fabric",
                              "master_host",
                              "master_port",
                              "sync_total_bytes",
                              "sync_read_bytes",
                              "sync_left_bytes",
                              "sync_perc",
                              "sync_keys",
                              "sync_rounds",
                              "last_sync_error",
                              "last_sync_left",
                              "last_psync_left",
                              "last_sync_duration_ms",
                              "last_sync_connect_ms",
                              "last_sync_wait_ms",
                              "last_sync_attach_ms",
                              "last_sync_pull_ms",
                              "last_sync_cut_ms",
                              "last_sync_load_ms",
                              "last_sync_continue_ms",
                              "last_sync_cut_keys",
                              "last_sync_cut_us",
                              "last_sync_cut_forced",
                              "syncs_ok",
                              "syncs_failed",
                              "exports",
                              "export_replicas",
                              "log_bytes",
                              "pinned_bytes",
                              "slice_max_us",
                              "export_direct",
                              "export_packed",
                              "export_parts",
                              "export_whole_in_cut",
                              "export_ring_bytes"}) {
      EXPECT_TRUE(in_status.contains(field)) << server->name() << " lacks " << field;
    }
  }
}

TEST_P(StatusTest, FiguresOfAFinishedSync) {
  Server& master = start_master();
  Server& replica = start_replica();
  constexpr long long kLarge = 4LL << 20;
  fill_dataset(master, {.large_values = 4, .large_bytes = kLarge});
  long long keys = 0;
  for (const auto& [db, value] : master.info("keyspace")) {
    const std::size_t begin = value.find('=') + 1;
    keys += std::stoll(value.substr(begin));
  }
  slaveof(replica, master);
  wait_synced(replica, master);
  EXPECT_EQ(status(replica, "role"), "replica");
  EXPECT_EQ(status(master, "role"), "master");
  EXPECT_EQ(status(replica, "master_host"), master.host());
  EXPECT_EQ(status(replica, "master_port"), std::to_string(master.port()));
  EXPECT_GE(status_number(replica, "sync_total_bytes"), 4 * kLarge);
  EXPECT_EQ(status(replica, "sync_read_bytes"), status(replica, "sync_total_bytes"));
  EXPECT_EQ(status(replica, "sync_left_bytes"), "0");
  EXPECT_EQ(std::stod(status(replica, "sync_perc")), 100);
  // The few that expire soon may be gone before they are copied.
  constexpr long long kExpiring = 4;
  EXPECT_GE(status_number(replica, "sync_keys"), keys - kExpiring);
  EXPECT_GE(status_number(replica, "sync_rounds"), 1);
  EXPECT_EQ(status(replica, "last_sync_error"), "");
  EXPECT_GE(status_number(master, "exports"), 1);
  EXPECT_GE(status_number(master, "export_direct"), 4);
  EXPECT_GE(status_number(master, "export_packed"), keys / 2);
  slaveof_no_one(replica);
  wait_state(replica, "idle");
  EXPECT_EQ(status(replica, "role"), "master");
}

TEST_P(StatusTest, SlaveofTwiceToTheSame) {
  Server& master = start_master();
  Server& replica = start_replica();
  fill_dataset(master);
  fill_old_dataset(replica);
  pause_at(replica, "pulling");
  slaveof(replica, master);
  wait_state(replica, "pulling");
  slaveof(replica, master);  // under way: as if said once
  pause_at(replica, "none");
  wait_synced(replica, master);
  EXPECT_TRUE(equal(master, replica));
  const std::string exports = status(master, "exports");
  slaveof(replica, master);  // synced already: nothing to do
  EXPECT_EQ(status(replica, "state"), "synced");
  EXPECT_EQ(status(master, "exports"), exports);
  EXPECT_EQ(replica.info("replication", "master_link_status"), "up");
}

TEST_P(StatusTest, ReplicaofIsTheSameCommand) {
  Server& master = start_master();
  Server& replica = start_replica();
  fill_dataset(master);
  EXPECT_EQ(replica.must("rdmasync.replicaof", master.host(), master.port()).text, "OK");
  wait_synced(replica, master);
  EXPECT_TRUE(equal(master, replica));
  EXPECT_EQ(replica.must("RDMASYNC.REPLICAOF", "no", "one").text, "OK");
  EXPECT_EQ(replica.info("replication", "role"), "master");
}

/// The old dataset is served, and the replica is nobody's slave yet, until loading begins.
TEST_P(StatusTest, ServesTheOldDatasetMeanwhile) {
  Server& master = start_master();
  Server& replica = start_replica();
  fill_dataset(master);
  fill_old_dataset(replica);
  for (const char* state : {"connecting", "attaching", "pulling", "cutting"}) {
    pause_at(replica, state);
    slaveof(replica, master);
    wait_state(replica, state);
    EXPECT_TRUE(has_old_dataset(replica)) << state;
    slaveof_no_one(replica);
    pause_at(replica, "none");
    wait_state(replica, "idle");
    EXPECT_TRUE(has_old_dataset(replica)) << state;
  }
  slaveof(replica, master);
  wait_synced(replica, master);
  EXPECT_TRUE(has_lost_old_dataset(replica));
}

}  // namespace
}  // namespace rdmasync::test

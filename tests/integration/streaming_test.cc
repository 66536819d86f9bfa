// A replica that has nothing to serve loads a dataset as it comes.

#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "harness/sync_test.h"
#include "tests/commands/writers.h"
#include "tests/support/dataset.h"

namespace rdmasync::test {
namespace {

class StreamingTest : public FabricTest {
 protected:
  static void replicaof(Server& replica, const Server& master) {
    replica.must("REPLICAOF", master.host(), master.port());
  }
  /// Stands still in the midst of a sync, and loads already.
  static void replicaof_and_hold(Server& replica, const Server& master, const char* state) {
    pause_at(replica, state);
    replicaof(replica, master);
    wait_state(replica, state);
    wait_until("it loads", [&] { return loads(replica); });
  }
  static std::string read_file(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  static void resume(Server& replica) { pause_at(replica, "none"); }
  static bool loads(Server& server) {
    return server.command("GET", "some key").text.starts_with("LOADING");
  }
  static bool was_streamed(const Server& master) {
    return master.log().find(", before the cut") != std::string::npos;
  }
  /// More than one piece of filler has room for, which no other command will write again.
  static void write_much(Server& master, int megabytes) {
    Client client = master.connect();
    for (int i = 0; i < megabytes; i++) {
      client.must("SET", "much:" + std::to_string(i % 3), random_bytes(i, 1 << 20));
    }
  }
};
RDMASYNC_FOR_EACH_FABRIC(StreamingTest);

TEST_P(StreamingTest, AnEmptyReplicaLoadsWhileItReads) {
  Server& master = start_master();
  Server& replica = start_replica();
  fill_dataset(master);
  wait_short_lived_gone(master);  // the keys are counted
  replicaof_and_hold(replica, master, "pulling");
  EXPECT_EQ(replica.info("persistence", "loading"), "1");
  EXPECT_EQ(replica.info("replication", "master_port"), std::to_string(master.port()));
  EXPECT_EQ(replica.info("rdmasync", "rdmasync_state"), "pulling");
  resume(replica);
  wait_synced(replica, master);
  EXPECT_TRUE(equal(master, replica, {.exact = true}));
  EXPECT_TRUE(was_streamed(master));
  EXPECT_EQ(status(replica, "syncs_failed"), "0") << status(replica, "last_sync_error");
  EXPECT_EQ(status(replica, "sync_keys"), std::to_string([&] {
              long long keys = 0;
              for (const auto& [db, line] : master.info("keyspace")) {
                keys += std::stoll(line.substr(line.find('=') + 1));
              }
              return keys;
            }()));
  EXPECT_EQ(master.info("stats", "total_forks"), "0");
  EXPECT_EQ(replica.config("repl-diskless-load"), "disabled");
  EXPECT_FALSE(std::filesystem::exists(replica.directory() / "dump.rdb"));
}

TEST_P(StreamingTest, UnderWriters) {
  Server& master = start_master();
  Server& replica = start_replica();
  fill_dataset(master);
  Writers writers(master, 1);
  replicaof(replica, master);
  wait_synced(replica, master);
  writers.stop();
  EXPECT_TRUE(equal(master, replica));
  EXPECT_TRUE(was_streamed(master));
  EXPECT_EQ(master.info("stats", "total_forks"), "0");
}

TEST_P(StreamingTest, BySlaveof) {
  Server& master = start_master();
  Server& replica = start_replica();
  fill_dataset(master);
  slaveof(replica, master);
  wait_synced(replica, master);
  EXPECT_TRUE(equal(master, replica, {.exact = true}));
  EXPECT_TRUE(was_streamed(master));
}

/// What was written during the sync comes as filler, in several pieces.
TEST_P(StreamingTest, MuchIsWrittenMeanwhile) {
  constexpr int kMegabytes = 20;
  Server& master = start_master();
  Server& replica = start_replica();
  fill_dataset(master, {.large_values = 1});
  replicaof_and_hold(replica, master, "pulling");
  write_much(master, kMegabytes);
  resume(replica);
  wait_synced(replica, master);
  EXPECT_TRUE(equal(master, replica));
  EXPECT_EQ(status(replica, "syncs_failed"), "0") << status(replica, "last_sync_error");
  EXPECT_EQ(master.info("stats", "total_forks"), "0");
}

/// A sub-replica that asks this one for any offset before the cut would be given filler.
TEST_P(StreamingTest, NobodyIsGivenFiller) {
  Server& master = start_master();
  Server& replica = start_replica({.config = {"repl-backlog-size 64mb"}});
  fill_dataset(master, {.large_values = 1});
  replicaof_and_hold(replica, master, "pulling");
  const long long begin = std::stoll(master.info("replication", "master_repl_offset"));
  write_much(master, 3);
  resume(replica);
  wait_synced(replica, master);
  const std::string log = replica.log();
  const auto at = log.find(':', log.find("; the cut is at ") + 17);
  const long long cut = std::stoll(log.substr(at + 1));
  ASSERT_GT(cut, begin + (3 << 20));
  const std::string id = replica.info("replication", "master_replid");
  EXPECT_LT(std::stoll(replica.info("replication", "repl_backlog_first_byte_offset")), begin + 100)
      << "it has filler";
  replica.must("CONFIG", "SET", "rdmasync.accelerate", "no");  // who asks below is no module
  // Every offset around where the filler begins and ends, and some on the way.
  std::vector<long long> offsets;
  constexpr long long kAround = 10;
  for (long long i = -2; i < kAround; i++) {
    offsets.push_back(begin + i);
    offsets.push_back(cut - i);
  }
  for (long long offset = begin; offset < cut; offset += 200'003) {
    offsets.push_back(offset);
  }
  for (const long long offset : offsets) {
    wait_until("no child is left of the sub-replica before",
               [&] { return replica.info("persistence", "rdb_bgsave_in_progress") == "0"; });
    Client sub = replica.connect();
    sub.send({"PSYNC", id, std::to_string(offset)});
    sub.flush();
    const Reply reply = sub.receive();
    EXPECT_EQ(reply.text.substr(0, 8), offset <= cut ? "FULLRESY" : "CONTINUE")
        << "a sub-replica is given what was no write: " << offset - cut << " from the cut, "
        << reply.text;
  }
}

TEST_P(StreamingTest, NobodyIsServedTooEarly) {
  Server& master = start_master();
  Server& replica = start_replica();
  fill_dataset(master, {.large_values = 1});
  pause_at(replica, "continuing");
  replicaof(replica, master);
  wait_state(replica, "continuing");
  ASSERT_NE(replica.info("replication", "master_replid"),
            master.info("replication", "master_replid"))
      << "a half-loaded replica has the master's own history";
  const Reply reply = replica.connect().command("PSYNC", "?", "-1");
  EXPECT_TRUE(reply.text.starts_with("NOMASTERLINK"))
      << "a sub-replica is served too early: " << reply.describe();
  resume(replica);
  wait_synced(replica, master);
  EXPECT_TRUE(equal(master, replica));
}

TEST_P(StreamingTest, MasterKilled) {
  Server& master = start_master({.config = {"save 3600 1"}});
  fill_dataset(master, {.large_values = 1});
  master.must("SAVE");
  for (const char* state : {"pulling", "cutting"}) {
    SCOPED_TRACE(state);
    Server& replica = start_replica({.config = {"repl-timeout 3"}});
    replicaof_and_hold(replica, master, state);
    master.kill();
    resume(replica);
    wait_until("it gives up", [&] { return !loads(replica); });
    EXPECT_EQ(replica.must("DBSIZE").number, 0) << "half of a dataset is none";
    EXPECT_EQ(replica.info("replication", "master_link_status"), "down");
    master.start();
    wait_synced(replica, master);
    EXPECT_TRUE(equal(master, replica));
  }
}

TEST_P(StreamingTest, MasterHangs) {
  Server& master = start_master();
  Server& replica = start_replica({.config = {"repl-timeout 3", "rdmasync.replica-timeout 3"}});
  fill_dataset(master, {.large_values = 1});
  replicaof_and_hold(replica, master, "pulling");
  ::kill(master.pid(), SIGSTOP);
  resume(replica);
  wait_until("it gives up", [&] { return !loads(replica); });
  EXPECT_EQ(replica.must("DBSIZE").number, 0);
  ::kill(master.pid(), SIGCONT);
  wait_synced(replica, master);
  EXPECT_TRUE(equal(master, replica));
}

TEST_P(StreamingTest, ReplicaKilledOrStopped) {
  Server& master = start_master();
  Server& replica = start_replica();
  fill_dataset(master, {.large_values = 1});
  const auto begin = [&](const char* state) {
    replicaof_and_hold(replica, master, state);
    EXPECT_FALSE(std::filesystem::exists(replica.directory() / "dump.rdb"));
  };
  for (const char* state : {"pulling", "loading"}) {
    SCOPED_TRACE(state);
    begin(state);
    replica.kill();
    replica.start();
    wait_export_gone(master);
    begin(state);
    EXPECT_TRUE(replica.stop());
    replica.start();
    wait_export_gone(master);
  }
  replicaof(replica, master);
  wait_synced(replica, master);
  EXPECT_TRUE(equal(master, replica));
}

/// As during a load of the server's own, nobody turns it elsewhere meanwhile; later they can.
TEST_P(StreamingTest, TurnedElsewhereAfterIt) {
  Server& master = start_master();
  Server& replica = start_replica();
  fill_dataset(master, {.large_values = 1});
  replicaof_and_hold(replica, master, "pulling");
  EXPECT_TRUE(replica.command("REPLICAOF", "NO", "ONE").text.starts_with("LOADING"));
  EXPECT_TRUE(replica.command("RDMASYNC.SLAVEOF", "NO", "ONE").text.starts_with("LOADING"));
  resume(replica);
  wait_until("it is promoted",
             [&] { return !replica.command("REPLICAOF", "NO", "ONE").is_error(); });
  EXPECT_EQ(replica.must("SET", "own", "write").text, "OK");
  wait_export_gone(master);
  wait_settled(replica);
}

/// During a load not all that is set for the moment can be put back for it: the file is written
/// again when it is over.
TEST_P(StreamingTest, RewrittenConfigurationIsTheOperators) {
  Server& master = start_master();
  Server& replica = start_replica();
  fill_dataset(master, {.large_values = 1});
  replicaof_and_hold(replica, master, "pulling");
  replica.must("CONFIG", "SET", "maxclients", 321);
  replica.must("CONFIG", "REWRITE");
  const auto file = [&] { return read_file(replica.directory() / "redis.conf"); };
  EXPECT_NE(file().find("maxclients 321"), std::string::npos);
  resume(replica);
  wait_synced(replica, master);
  wait_until("it is as the operator has set it",
             [&] { return file().find("on-empty-db") == std::string::npos; });
  EXPECT_EQ(file().find("notify-keyspace-events"), file().find("notify-keyspace-events \"\""));
}

TEST_P(StreamingTest, FlushesAndSwapsOnTheWay) {
  Server& master = start_master();
  Server& replica = start_replica();
  Client client = master.connect();
  fill_dataset(client, {.large_values = 2});
  replicaof_and_hold(replica, master, "pulling");
  client.must("SWAPDB", 0, 1);
  client.must("SELECT", 3);
  client.must("FLUSHDB");
  client.must("SET", "after", "the flush");
  client.must("SELECT", 0);
  client.must("DEL", client.must("RANDOMKEY").text);
  resume(replica);
  wait_synced(replica, master);
  EXPECT_TRUE(equal(master, replica));
  EXPECT_TRUE(was_streamed(master));

  replica.must("REPLICAOF", "NO", "ONE");
  replica.must("FLUSHALL");
  replicaof_and_hold(replica, master, "pulling");
  client.must("FLUSHALL");
  client.must("SET", "after", "all");
  resume(replica);
  wait_synced(replica, master);
  EXPECT_TRUE(equal(master, replica));
  EXPECT_EQ(replica.must("DBSIZE").number, 1);
}

TEST_P(StreamingTest, WithoutTheCommandsForThatItIsStaged) {
  Server& master = start_master();
  Server& replica = start_replica({.config = {"rename-command FLUSHDB \"\""}});
  fill_dataset(master);
  replicaof(replica, master);
  wait_synced(replica, master);
  EXPECT_FALSE(was_streamed(master));
  EXPECT_TRUE(equal(master, replica));
}

TEST_P(StreamingTest, DatasetThatTheReplicaCannotTake) {
  Server& master = start_master();
  Server& replica = start_replica({.config = {"databases 4"}});
  Client writer = master.connect();
  writer.must("SET", "within", "what the replica has");
  writer.must("SELECT", 9);
  writer.must("SET", "beyond", "what the replica has");
  replicaof(replica, master);
  EXPECT_TRUE(mentions(wait_error(replica), "raise 'databases'"));
  wait_until("it has given up", [&] { return !loads(replica); });
  EXPECT_EQ(replica.must("DBSIZE").number, 0);
  writer.must("FLUSHDB");
  wait_synced(replica, master);
  EXPECT_EQ(replica.must("GET", "within").text, "what the replica has");
}

TEST_P(StreamingTest, OldDataIsKeptUnlessTold) {
  Server& master = start_master();
  Server& replica = start_replica();
  fill_dataset(master);
  fill_old_dataset(replica);
  replicaof(replica, master);
  wait_synced(replica, master);
  EXPECT_FALSE(was_streamed(master));
  replica.must("REPLICAOF", "NO", "ONE");
  replica.must("CONFIG", "SET", "rdmasync.keep-old-data", "no");
  fill_old_dataset(replica);
  replicaof_and_hold(replica, master, "pulling");
  resume(replica);
  wait_synced(replica, master);
  EXPECT_TRUE(was_streamed(master));
  EXPECT_TRUE(has_lost_old_dataset(replica));
  EXPECT_TRUE(equal(master, replica));
}

/// A client of a replica that drops its old data is told of a load, or served the old data or the
/// new; never is there nothing.
TEST_P(StreamingTest, NobodySeesAnEmptiedServer) {
  Server& master = start_master();
  Server& replica = start_replica({.config = {"rdmasync.keep-old-data no"}});
  fill_dataset(master, {.large_values = 1});
  master.must("SET", "both", "have it");
  replica.must("SET", "both", "have it");
  std::set<std::string> seen;
  std::jthread watcher([&, client = replica.connect()](const std::stop_token& stop) mutable {
    while (!stop.stop_requested()) {
      seen.insert(client.command("GET", "both").describe());
      client.command("MULTI");
      client.command("GET", "both");
      const Reply reply = client.command("EXEC");
      seen.insert(reply.is_array() && !reply.elements.empty() ? reply.elements[0].describe() : "");
    }
  });
  constexpr int kSyncs = 5;
  for (int i = 0; i < kSyncs; i++) {
    replicaof(replica, master);
    wait_synced(replica, master);
    replica.must("REPLICAOF", "NO", "ONE");
  }
  watcher.request_stop();
  watcher.join();
  EXPECT_TRUE(was_streamed(master));
  EXPECT_FALSE(seen.contains(Reply{}.describe())) << "nothing";
}

}  // namespace
}  // namespace rdmasync::test

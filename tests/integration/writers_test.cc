// Writers at full speed during the whole sync. RDMASYNC_SEEDS sets the number of seeds of every
// fabric, RDMASYNC_SEED runs one alone.

#include "tests/commands/writers.h"

#include <atomic>
#include <cstdlib>
#include <random>
#include <thread>
#include <tuple>

#include "harness/sync_test.h"
#include "tests/support/dataset.h"

namespace rdmasync::test {
namespace {

using Case = std::tuple<std::string, int>;  // fabric, seed

// An emulated machine has time for few, and is slow beside many.
int default_seeds(const std::string& fabric) {
  return fabric == "verbs" ? 3 : 10;
}
int mixers(const std::string& fabric) {
  return fabric == "verbs" ? 1 : 3;
}

/// Each fabric has seeds of its own, whatever others are tested.
int first_seed(const std::string& fabric) {
  constexpr int kMost = 1000;
  return fabric == "cma" ? 0 : fabric == "tcp" ? kMost : 2 * kMost;
}

std::vector<Case> cases() {
  const char* one = std::getenv("RDMASYNC_SEED");
  const char* many = std::getenv("RDMASYNC_SEEDS");
  std::vector<Case> all;
  for (const std::string& fabric : fabrics()) {
    const int first = one != nullptr ? std::atoi(one) : first_seed(fabric);
    const int count = one != nullptr    ? 1
                      : many != nullptr ? std::atoi(many)
                                        : default_seeds(fabric);
    for (int seed = first; seed < first + count; seed++) {
      all.emplace_back(fabric, seed);
    }
  }
  return all;
}

class WritersTest : public SyncTest, public ::testing::WithParamInterface<Case> {
 protected:
  void SetUp() override { skip_unless_there(std::get<0>(GetParam())); }
};
INSTANTIATE_TEST_SUITE_P(Seeds, WritersTest, ::testing::ValuesIn(cases()), [](const auto& test) {
  return std::get<0>(test.param) + "_" + std::to_string(std::get<1>(test.param));
});

/// Small bounds, so that a sync of little data meets them all. An emulated machine, where verbs are
/// tested, does little in a short slice, and would take minutes.
ServerOptions options_for(const std::string& fabric, int seed) {
  std::mt19937 random(seed);
  const auto pick = [&](std::vector<const char*> choices) {
    return std::string(choices[random() % choices.size()]);
  };
  return {.config = {"rdmasync.export-memory " + pick({"4mb", "16mb", "64mb"}),
                     "rdmasync.direct-threshold " + pick({"4kb", "64kb", "64kb", "256kb"}),
                     "rdmasync.pinned-memory " + pick({"8mb", "256mb"}),
                     "rdmasync.slice-us " + (fabric == "verbs" ? "5000" : pick({"50", "500"})),
                     "rdmasync.join-window " + pick({"0", "100"}),
                     "repl-backlog-size " + pick({"16kb", "1mb", "16mb"}),
                     "appendonly " + pick({"no", "no", "no", "yes"}), "hz " + pick({"10", "100"})},
          .module_args = fabric_args(fabric)};
}

TEST_P(WritersTest, DatasetsEndEqual) {
  const auto& [fabric, seed] = GetParam();
  std::string trace = "seed " + std::to_string(seed) + ": alone with RDMASYNC_SEED";
  const ServerOptions options = options_for(fabric, seed);
  for (const std::string& line : options.config) {
    trace.append("\n  ").append(line);
  }
  SCOPED_TRACE(trace);
  Server& master = start_server("master", options);
  Server& replica = start_server("replica", options);
  fill_dataset(master, {.small_keys = 20000, .large_values = 8, .large_bytes = 1 << 20});

  Writers writers(master, seed, mixers(fabric));
  writers.go_on(1000);
  const std::string forks = master.info("stats", "total_forks");
  slaveof(replica, master);
  wait_synced(replica, master);
  if (seed % 3 == 0) {  // and once more, onto the dataset of the first
    slaveof_no_one(replica);
    writers.go_on(1000);
    slaveof(replica, master);
    wait_synced(replica, master);
  }
  writers.go_on(2000);
  writers.stop();

  EXPECT_TRUE(equal(master, replica));
  EXPECT_EQ(status(replica, "syncs_failed"), "0") << status(replica, "last_sync_error");
  if (master.config("appendonly") == "no") {
    EXPECT_EQ(master.info("stats", "total_forks"), forks);
  }
}

class BusyMasterTest : public FabricTest {};
RDMASYNC_FOR_EACH_FABRIC(BusyMasterTest);

/// One value that is never the same for two slices: it can be carried by the cut alone.
TEST_P(BusyMasterTest, OneHotHugeValue) {
  Server& master = start_master({.config = {"rdmasync.export-memory 4mb"}});
  Server& replica = start_replica();
  master.must("SET", "hot", random_bytes(1, 32 << 20));
  std::atomic<bool> stopping{false};
  std::thread writer([&, client = master.connect()]() mutable {
    for (int i = 0; !stopping; i++) {
      client.must("SETRANGE", "hot", (i * 7919LL * 4096) % (32 << 20), random_bytes(i, 100));
    }
  });
  const auto stop = [&] {
    stopping = true;
    writer.join();
  };
  try {
    slaveof(replica, master);
    wait_synced(replica, master);
  } catch (...) {
    stop();
    throw;
  }
  stop();
  EXPECT_TRUE(equal(master, replica));
}

/// What happens between attach and cut, one thing at a time, with the replica held in the middle.
TEST_P(BusyMasterTest, ChangesWhileTheReplicaIsHeld) {
  for (const char* state : {"attaching", "pulling", "cutting"}) {
    SCOPED_TRACE(state);
    Server& master = start_master();
    Server& replica = start_replica();
    fill_dataset(master);
    pause_at(replica, state);
    slaveof(replica, master);
    wait_state(replica, state);

    Client client = master.connect();
    client.must("SETRANGE", "large:0", 1 << 20, "torn");
    client.must("SET", "large:1", random_bytes(77, 3 << 20));
    client.must("DEL", "large:2");
    client.must("RENAME", "large:3", "renamed");
    client.must("APPEND", "small:8", "longer");
    client.must("XACK", "stream:groups", "readers", "1-1", "2-1");
    client.must("XREADGROUP", "GROUP", "readers", "eve", "COUNT", 3, "STREAMS", "stream:groups",
                ">");
    client.must("PFADD", "hll:sparse", "another");
    client.must("PFCOUNT", "hll:sparse");
    client.must("TESTTYPE.APPEND", "testtype:small", " and more");
    client.must("PEXPIREAT", "list:quicklist", "9000000000001");
    client.must("PERSIST", "ttl:large");
    client.must("MULTI");
    client.must("SELECT", 1);
    client.must("XACK", "stream:groups", "readers", "7-1");
    client.must("DEL", "set:hashtable");
    client.must("EXEC");
    client.must("SWAPDB", 5, 15);
    client.must("SELECT", 15);
    client.must("HSET", "hash:hashtable", "after", "swap");
    client.must("SELECT", 5);
    client.must("FLUSHDB");
    client.must("SET", "after", "flush");
    client.must("SELECT", 0);
    client.must("MOVE", "renamed", 9);
    client.must("FUNCTION", "DELETE", "otherlib");
    client.must("FCALL", "set_and_push", 2, "by-function", "list:small", "x");
    client.must("EVAL", "redis.call('SELECT', 1) redis.call('SET', 'by-script', 'x')", 0);

    pause_at(replica, "none");
    wait_synced(replica, master);
    EXPECT_TRUE(equal(master, replica));
  }
}

/// As the cut adds to the replication stream, which must stand still until the pause is over.
TEST_P(BusyMasterTest, ACutWaitsForTheEndOfClientPause) {
  Server& master = start_master();
  Server& replica = start_replica();
  fill_dataset(master);
  pause_at(replica, "cutting");
  slaveof(replica, master);
  wait_state(replica, "cutting");
  master.must("CLIENT", "PAUSE", 3600 * 1000, "WRITE");
  pause_at(replica, "none");
  wait_until("the master holds the cut", [&] {
    return master.must("CLIENT", "LIST").text.find("cmd=rdmasync.export") != std::string::npos &&
           master.info("clients", "blocked_clients") == "1";
  });
  master.must("CLIENT", "UNPAUSE");
  wait_synced(replica, master);
  EXPECT_TRUE(equal(master, replica));
}

/// Its commands were named before anybody watched, and some of them notify nobody when they run.
TEST_P(BusyMasterTest, TransactionQueuedBeforeTheSync) {
  for (const char* state : {"attaching", "pulling", "cutting"}) {
    SCOPED_TRACE(state);
    Server& master = start_master();
    Server& replica = start_replica();
    fill_dataset(master);
    Client client = master.connect();
    client.must("MULTI");
    client.must("XACK", "stream:groups", "readers", "1-1", "2-1");
    client.must("TESTTYPE.APPEND", "testtype:small", " and more");
    Client never_ends = master.connect();
    never_ends.must("MULTI");
    never_ends.must("XACK", "stream:groups", "readers", "7-1");

    pause_at(replica, state);
    slaveof(replica, master);
    wait_state(replica, state);
    EXPECT_TRUE(client.must("EXEC").is_array());
    pause_at(replica, "none");
    wait_synced(replica, master);
    EXPECT_TRUE(equal(master, replica));
    never_ends.must("EXEC");
    EXPECT_TRUE(equal(master, replica));
  }
}

/// Valkey 9.1 tells a module another database than the one that such a notification is of.
TEST_P(BusyMasterTest, ATransactionReachesIntoAnotherDatabase) {
  Server& master = start_master();
  Server& replica = start_replica();
  for (const char* key : {"moved", "copied"}) {
    master.must("SET", key, "value");
  }

  pause_at(replica, "cutting");
  slaveof(replica, master);
  wait_state(replica, "cutting");
  Client client = master.connect();
  client.must("MULTI");
  client.must("MOVE", "moved", 1);
  client.must("COPY", "copied", "copy", "DB", 2);
  EXPECT_TRUE(client.must("EXEC").is_array());
  pause_at(replica, "none");
  wait_synced(replica, master);
  EXPECT_TRUE(equal(master, replica));
}

/// Valkey 8.1 leaves a client in the database of what its command notifies a module of.
TEST_P(BusyMasterTest, AKeyMovesToWhereItsNameHasExpired) {
  Server& master = start_master();
  Server& replica = start_replica();
  master.must("DEBUG", "SET-ACTIVE-EXPIRE", 0);
  Client client = master.connect();
  for (const char* key : {"moved", "copied"}) {
    client.must("SELECT", 1);
    client.must("SET", key, "ends", "PX", 1);
    client.must("SELECT", 0);
    client.must("SET", key, "value");
  }
  const auto now = [&] { return std::stoll(client.must("TIME").elements.at(0).text); };
  const long long then = now();
  wait_until("they have expired", [&] { return now() > then + 1; });

  pause_at(replica, "cutting");
  slaveof(replica, master);
  wait_state(replica, "cutting");
  client.must("MOVE", "moved", 1);
  client.must("SET", "after", "moved");
  client.must("COPY", "copied", "copied", "DB", 1);
  client.must("SET", "after", "copied");
  pause_at(replica, "none");
  wait_synced(replica, master);
  client.must("SELECT", 0);
  EXPECT_EQ(client.must("GET", "after").text, "copied");
  EXPECT_TRUE(equal(master, replica));
}

/// It was named before anybody watched, and is served by a command that names no key.
TEST_P(BusyMasterTest, BlockedReaderThatASwapServes) {
  Server& master = start_master();
  Server& replica = start_replica();
  Client client = master.connect();
  for (const int db : {0, 1}) {
    client.must("SELECT", db);
    client.must("XGROUP", "CREATE", "stream", "readers", "0", "MKSTREAM");
    client.must("XGROUP", "CREATECONSUMER", "stream", "readers",
                "eve");  // of which it would notify
  }
  client.must("XADD", "stream", "1-1", "field", "value");
  Client reader = master.connect();
  reader.send({"XREADGROUP", "GROUP", "readers", "eve", "BLOCK", "0", "STREAMS", "stream", ">"});
  reader.flush();
  wait_until("the reader is blocked",
             [&] { return master.info("clients", "blocked_clients") == "1"; });

  pause_at(replica, "cutting");
  slaveof(replica, master);
  wait_state(replica, "cutting");
  client.must("SWAPDB", 0, 1);
  EXPECT_TRUE(reader.receive().is_array());
  pause_at(replica, "none");
  wait_synced(replica, master);
  EXPECT_TRUE(equal(master, replica));
}

TEST_P(BusyMasterTest, FlushallWhileTheReplicaIsHeld) {
  Server& master = start_master();
  Server& replica = start_replica();
  fill_dataset(master);
  pause_at(replica, "cutting");
  slaveof(replica, master);
  wait_state(replica, "cutting");
  master.must("FLUSHALL");
  master.must("SET", "only", "this");
  pause_at(replica, "none");
  wait_synced(replica, master);
  EXPECT_TRUE(equal(master, replica));
  EXPECT_EQ(replica.must("DBSIZE").number, 1);
}

/// What is written after the cut must neither be lost nor cost a full sync when it exceeds the
/// master's backlog.
TEST_P(BusyMasterTest, WritesBeyondTheBacklogAfterTheCut) {
  for (const char* state : {"loading", "continuing"}) {
    SCOPED_TRACE(state);
    Server& master = start_master({.config = {"repl-backlog-size 64kb"}});
    Server& replica = start_replica();
    fill_dataset(master, {.large_values = 1});
    pause_at(replica, state);
    slaveof(replica, master);
    wait_state(replica, state);
    for (int i = 0; i < 200; i++) {
      master.must("SET", "late:" + std::to_string(i), random_bytes(i, 10000));
    }
    pause_at(replica, "none");
    wait_synced(replica, master);
    EXPECT_TRUE(equal(master, replica));
    EXPECT_EQ(master.info("stats", "total_forks"), "0");
  }
}

}  // namespace
}  // namespace rdmasync::test

// REPLICAOF itself: the master answers the PSYNC.

#include <sys/resource.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <thread>

#include "harness/sync_test.h"
#include "tests/commands/writers.h"
#include "tests/support/dataset.h"

namespace rdmasync::test {
namespace {

class ReplicaofTest : public FabricTest {
 protected:
  static void replicaof(Server& replica, const Server& master) {
    replica.must("REPLICAOF", master.host(), master.port());
  }
  /// Left to the server: why is in the master's log, and in its INFO.
  static void wait_left_to_server(Server& master, const std::string& why) {
    wait_until(master.name() + " leaves a PSYNC to the server, since " + why, [&] {
      const std::string log = master.log();
      return log.find(why) != std::string::npos;
    });
    EXPECT_NE(status(master, "last_psync_left").find(why), std::string::npos);
  }
};
RDMASYNC_FOR_EACH_FABRIC(ReplicaofTest);

TEST_P(ReplicaofTest, EverythingArrives) {
  Server& master = start_master();
  Server& replica = start_replica();
  fill_dataset(master);
  replicaof(replica, master);
  wait_synced(replica, master);
  EXPECT_TRUE(equal(master, replica, {.exact = true}));
  EXPECT_EQ(status(replica, "fabric"), fabric());
  EXPECT_EQ(status(replica, "syncs_ok"), "1");
  EXPECT_EQ(status(replica, "syncs_failed"), "0") << status(replica, "last_sync_error");
  EXPECT_EQ(master.info("stats", "total_forks"), "0");
  EXPECT_EQ(replica.info("replication", "master_replid"),
            master.info("replication", "master_replid"));
  EXPECT_EQ(replica.config("repl-diskless-load"), "disabled");
  master.must("SET", "after", "the sync");
  EXPECT_TRUE(equal(master, replica));
}

TEST_P(ReplicaofTest, OldDatasetIsReplaced) {
  Server& master = start_master();
  Server& replica = start_replica();
  fill_dataset(master);
  fill_old_dataset(replica);
  replica.must("FUNCTION", "LOAD",
               "#!lua name=oldlib\nredis.register_function('old', function() return 1 end)");
  replicaof(replica, master);
  wait_synced(replica, master);
  EXPECT_TRUE(has_lost_old_dataset(replica));
  EXPECT_TRUE(equal(master, replica, {.exact = true}));
}

TEST_P(ReplicaofTest, FromRedisConf) {
  Server& master = start_master();
  fill_dataset(master);
  Server& replica = start_replica(
      {.config = {"replicaof " + master.host() + " " + std::to_string(master.port())}});
  wait_synced(replica, master);
  EXPECT_TRUE(equal(master, replica, {.exact = true}));
  EXPECT_EQ(status(replica, "syncs_ok"), "1");
}

TEST_P(ReplicaofTest, UnderWriters) {
  Server& master = start_master();
  Server& replica = start_replica();
  fill_dataset(master);
  Writers writers(master, 1);
  replicaof(replica, master);
  wait_synced(replica, master);
  writers.stop();
  EXPECT_TRUE(equal(master, replica));
  EXPECT_EQ(status(replica, "syncs_failed"), "0") << status(replica, "last_sync_error");
  EXPECT_EQ(master.info("stats", "total_forks"), "0");
}

/// The server's own partial resync is left alone, and what has outgrown the backlog is ours.
TEST_P(ReplicaofTest, BrokenLink) {
  Server& master = start_master({.config = {"repl-backlog-size 16kb"}});
  Server& replica = start_replica();
  fill_dataset(master, {.large_values = 1});
  replicaof(replica, master);
  wait_synced(replica, master);
  const std::string full = master.info("stats", "sync_full");
  const auto partial = [&] { return std::stoi(master.info("stats", "sync_partial_ok")); };
  const int partial_before = partial();
  replica.must("CLIENT", "KILL", "TYPE", "master");
  wait_until("the link continues", [&] { return partial() > partial_before; });
  wait_link_up(replica, master);
  EXPECT_EQ(status(replica, "syncs_ok"), "1");

  replica.must("REPLICAOF", "127.0.0.1", "1");  // nobody is there
  constexpr int kWritten = 100;
  for (int i = 0; i < kWritten; i++) {
    master.must("SET", "meanwhile", random_bytes(i, 1000));
  }
  replicaof(replica, master);
  wait_synced(replica, master);
  EXPECT_EQ(status(replica, "syncs_ok"), "2");
  EXPECT_EQ(master.info("stats", "sync_full"), full);
  EXPECT_TRUE(equal(master, replica));
}

TEST_P(ReplicaofTest, TheMasterStaysWhoItIs) {
  Server& master = start_master();
  Server& replica = start_replica();
  fill_dataset(master);
  fill_old_dataset(replica);
  std::atomic<bool> stopping{false};
  std::string other;
  std::thread watcher([&, client = replica.connect()]() mutable {
    while (!stopping) {
      const auto link = client.info("replication");
      if (link.at("role") == "slave" && (link.at("master_host") != master.host() ||
                                         link.at("master_port") != std::to_string(master.port()))) {
        other = link.at("master_host") + ":" + link.at("master_port");
      }
    }
  });
  replicaof(replica, master);
  wait_synced(replica, master);
  stopping = true;
  watcher.join();
  EXPECT_EQ(other, "");
}

TEST_P(ReplicaofTest, ModuleLessReplicaGetsTheServersOwnSync) {
  allow_native_full_syncs(1);
  Server& master = start_master({.config = {"repl-diskless-sync-delay 0"}});
  Server& replica = start_server("replica-without", {.load_module = false});
  fill_dataset(master, {.large_values = 1});
  replicaof(replica, master);
  wait_link_up(replica, master);
  EXPECT_TRUE(equal(master, replica));
  wait_left_to_server(master, "no rdmasync has said that it has this link");
}

TEST_P(ReplicaofTest, MasterWithoutTheModuleSyncsByItself) {
  Server& master = start_server("master-without",
                                {.config = {"repl-diskless-sync-delay 0"}, .load_module = false});
  Server& replica = start_replica();
  fill_dataset(master, {.large_values = 1});
  replicaof(replica, master);
  wait_link_up(replica, master);
  EXPECT_TRUE(equal(master, replica));
}

TEST_P(ReplicaofTest, EitherEndMaySayNo) {
  for (const char* end : {"master", "replica"}) {
    SCOPED_TRACE(end);
    const bool at_master = std::string(end) == "master";
    Server& master =
        start_server(std::string("master-") + end,
                     with_fabric({.config = {"repl-diskless-sync-delay 0",
                                             at_master ? "rdmasync.accelerate no" : "hz 10"}}));
    Server& replica =
        start_server(std::string("replica-") + end,
                     with_fabric({.config = {at_master ? "hz 10" : "rdmasync.accelerate no"}}));
    fill_dataset(master, {.large_values = 1});
    replicaof(replica, master);
    wait_link_up(replica, master);
    EXPECT_TRUE(equal(master, replica));
    EXPECT_EQ(status(replica, "syncs_ok"), "0");
    EXPECT_EQ(status(master, "exports"), "0");
  }
}

/// +psync alone must go on working.
TEST_P(ReplicaofTest, UserWithoutThePermissionGetsTheServersOwnSync) {
  Server& master = start_master(
      {.config = {"user default on >secret ~* &* +@all",
                  "user sync on >word +psync +replconf +ping", "repl-diskless-sync-delay 0"},
       .password = "secret"});
  Server& replica = start_replica({.config = {"masteruser sync", "masterauth word"}});
  fill_dataset(master, {.large_values = 1});
  replicaof(replica, master);
  wait_link_up(replica, master);
  EXPECT_TRUE(equal(master, replica));
  wait_left_to_server(master, "no permission for RDMASYNC.EXPORT");
}

TEST_P(ReplicaofTest, UserWithThePermission) {
  Server& master =
      start_master({.config = {"user default on >secret ~* &* +@all",
                               "user sync on >word +psync +replconf +ping +rdmasync.export"},
                    .password = "secret"});
  Server& replica = start_replica({.config = {"masteruser sync", "masterauth word"}});
  fill_dataset(master, {.large_values = 1});
  replicaof(replica, master);
  wait_synced(replica, master);
  EXPECT_TRUE(equal(master, replica));
}

/// What is set for the moment is not written down, whenever that is asked for.
TEST_P(ReplicaofTest, RewrittenConfigurationIsTheOperators) {
  Server& master = start_master({.config = {"maxmemory 2gb"}});
  Server& replica = start_replica();
  fill_dataset(master, {.large_values = 1});
  fill_old_dataset(replica);
  const auto rewritten = [](Server& server) {
    server.must("CONFIG", "REWRITE");
    std::ifstream file(server.directory() / "redis.conf");
    std::ostringstream text;
    text << file.rdbuf();
    // The server adds an empty line now and then.
    std::string lines = text.str();
    lines.erase(lines.find_last_not_of('\n') + 1);
    return lines;
  };
  const std::string of_master = rewritten(master);
  const std::string follows = "replicaof " + master.host() + " " + std::to_string(master.port());
  std::string of_replica;
  for (const char* state : {"attaching", "pulling", "cutting", "waiting", "continuing"}) {
    SCOPED_TRACE(state);
    pause_at(replica, state);
    if (of_replica.empty()) {
      replicaof(replica, master);
      wait_state(replica, state);
      of_replica = rewritten(replica);
      EXPECT_NE(of_replica.find(follows), std::string::npos);
    } else {
      wait_state(replica, state);
    }
    EXPECT_EQ(rewritten(replica), of_replica);
    EXPECT_EQ(rewritten(master), of_master);
    EXPECT_EQ(replica.must("PING").text, "PONG");
  }
  pause_at(replica, "none");
  wait_synced(replica, master);
  EXPECT_EQ(rewritten(replica), of_replica);
  EXPECT_EQ(rewritten(master), of_master);
  EXPECT_EQ(of_replica.find("repl-diskless-load swapdb"), std::string::npos);
  EXPECT_TRUE(equal(master, replica));
}

/// What would end the server, or never load, is not left to it: it keeps what it has.
TEST_P(ReplicaofTest, DatasetThatTheReplicaCannotTake) {
  Server& master = start_master();
  Server& replica = start_replica({.config = {"databases 4"}});
  Client writer = master.connect();
  writer.must("SELECT", 9);
  writer.must("SET", "beyond", "what the replica has");
  fill_old_dataset(replica);
  replicaof(replica, master);
  EXPECT_TRUE(mentions(wait_error(replica), "raise 'databases'"));
  wait_until("the server is told, too",
             [&] { return replica.log().find("LOADING rdmasync: ") != std::string::npos; });
  EXPECT_TRUE(has_old_dataset(replica));
  writer.must("FLUSHDB");
  writer.must("SELECT", 3);
  writer.must("SET", "within", "what the replica has");
  wait_synced(replica, master);
  Client reader = replica.connect();
  reader.must("SELECT", 3);
  EXPECT_EQ(reader.must("GET", "within").text, "what the replica has");
}

/// The server's link and the module's connection come from there.
TEST_P(ReplicaofTest, FromAnAddressOfItsOwn) {
  Server& master = start_master({.config = {"protected-mode no"}});
  Server& replica = start_replica({.config = {"bind-source-addr 127.0.0.2"}});
  fill_dataset(master, {.large_values = 1});
  replicaof(replica, master);
  wait_synced(replica, master);
  EXPECT_NE(master.info("replication", "slave0").find("ip=127.0.0.2"), std::string::npos);
  EXPECT_TRUE(equal(master, replica));
}

TEST_P(ReplicaofTest, NobodyAnswersForAnotherHost) {
  Server& master = start_master();
  Client other = master.connect();
  const Reply reply = other.command("RDMASYNC.EXPORT", "NATIVE", "127.0.0.2:4711");
  EXPECT_TRUE(reply.is_error() && mentions(reply.text, "not the same host"))
      << "this one answers for another host: " << reply.describe();
}

/// A busy one may take longer than the master waits for one without the module.
TEST_P(ReplicaofTest, AHostThatHasSaidHelloIsGivenTime) {
  allow_native_full_syncs(1);
  Server& master = start_master({.config = {"protected-mode no", "repl-diskless-sync-delay 0"}});
  Server& without = start_server("replica-without",
                                 {.config = {"bind-source-addr 127.0.0.2"}, .load_module = false});
  Client control = master.connect();
  control.must("RDMASYNC.EXPORT", "HELLO");
  Client link = master.connect();
  const std::string info = link.must("CLIENT", "INFO").text;
  const auto at = info.find(" addr=") + 6;
  const std::string address = info.substr(at, info.find(' ', at) - at);
  link.must("REPLCONF", "capa", "psync2");
  link.send({"PSYNC", "?", "-1"});
  link.flush();

  replicaof(without, master);
  wait_left_to_server(master, "no rdmasync has said that it has this link");
  EXPECT_EQ(master.log().find("the replica at " + address), std::string::npos);
  control.must("RDMASYNC.EXPORT", "NATIVE", address);
  const Reply waits = control.must("RDMASYNC.EXPORT", "AWAIT", 0);
  EXPECT_EQ(waits.elements.at(1).text, "1") << waits.describe();
}

/// A PSYNC of its came before its module, and next time the module is there.
TEST_P(ReplicaofTest, WhoWasTakenForOneWithoutTheModuleIsNotSo) {
  Server& master = start_master();
  Server& replica = start_replica();
  fill_dataset(master, {.large_values = 1});
  fill_old_dataset(replica);
  Client early = master.connect();
  early.must("REPLCONF", "capa", "psync2");
  const Reply again = early.command("PSYNC", "?", "-1");
  ASSERT_TRUE(again.is_error() && mentions(again.text, "LOADING")) << again.describe();
  master.connect().must("RDMASYNC.EXPORT", "HELLO");  // and is gone
  pause_at(replica, "pulling");
  replicaof(replica, master);
  wait_state(replica, "pulling");
  const auto link = [&] {
    std::istringstream clients(master.must("CLIENT", "LIST").text);
    for (std::string client; std::getline(clients, client);) {
      if (client.find(" flags=b ") != std::string::npos) {
        return client.substr(3, client.find(' ') - 3);
      }
    }
    return std::string{};
  };
  wait_until("its link waits", [&] { return !link().empty(); });
  const std::string first = link();
  ASSERT_EQ(master.must("CLIENT", "KILL", "ID", first).number, 1);
  wait_until("its next link waits", [&] { return !link().empty() && link() != first; });
  pause_at(replica, "none");
  wait_synced(replica, master);
  EXPECT_TRUE(equal(master, replica));
}

/// As when a cable is out: its next link may come before its module is heard again.
TEST_P(ReplicaofTest, WhoseModuleHasGoneIsNotTakenForOneWithout) {
  Server& master = start_master();
  const auto ask = [](Client& link) {
    link.must("REPLCONF", "capa", "psync2");
    link.append({"PSYNC", "?", "-1"});
    link.flush();
  };
  const auto is_told_to_ask_again = [](Client& link) {
    const Reply reply = link.receive();
    return reply.is_error() && mentions(reply.text, "LOADING");
  };
  Client link = master.connect();
  const std::string self = link.must("CLIENT", "INFO").text;
  constexpr std::string_view kBefore = " addr=";
  const auto begin = self.find(kBefore) + kBefore.size();
  {
    Client module = master.connect();
    module.must("RDMASYNC.EXPORT", "HELLO");
    module.must("RDMASYNC.EXPORT", "NATIVE", self.substr(begin, self.find(' ', begin) - begin));
    ask(link);
    const Reply waits = module.must("RDMASYNC.EXPORT", "AWAIT", 10'000);
    ASSERT_EQ(waits.elements.at(1).text, "1") << waits.describe();
  }
  ASSERT_TRUE(is_told_to_ask_again(link));
  Client next = master.connect();
  ask(next);
  EXPECT_TRUE(is_told_to_ask_again(next));
  EXPECT_EQ(master.info("stats", "total_forks"), "0");
}

TEST_P(ReplicaofTest, AnnouncedAddressIsAllThatTheMasterShows) {
  Server& master = start_master();
  Server& replica =
      start_replica({.config = {"replica-announce-ip 192.0.2.77", "replica-announce-port 4711"}});
  fill_dataset(master, {.large_values = 1});
  std::atomic<bool> stopping{false};
  std::set<std::string> shown;
  std::thread watcher([&, client = master.connect()]() mutable {
    while (!stopping) {
      const std::string line = client.info("replication").text("slave0");
      shown.insert(line.substr(0, line.find(",state")));
    }
  });
  replicaof(replica, master);
  wait_synced(replica, master);
  stopping = true;
  watcher.join();
  shown.erase("");
  EXPECT_EQ(shown, (std::set<std::string>{"ip=192.0.2.77,port=4711"}));
  EXPECT_TRUE(equal(master, replica));
}

/// A load may last longer than the master lets a client be silent: it closes both connections.
TEST_P(ReplicaofTest, MasterThatClosesSilentConnections) {
  Server& master = start_master({.config = {"timeout 2"}});
  Server& replica = start_replica();
  fill_dataset(master, {.large_values = 1});
  for (const char* state : {"loading", "continuing"}) {
    SCOPED_TRACE(state);
    pause_at(replica, state);
    replicaof(replica, master);
    wait_state(replica, state);
    wait_until("the master has closed the control connection", [&] {
      return master.must("CLIENT", "LIST").text.find("cmd=rdmasync.export") == std::string::npos;
    });
    for (int i = 0; i < 100; i++) {
      master.must("SET", "meanwhile:" + std::to_string(i), random_bytes(i, 1000));
    }
    pause_at(replica, "none");
    wait_synced(replica, master);
    EXPECT_EQ(master.info("stats", "total_forks"), "0");
    EXPECT_TRUE(equal(master, replica));
    replica.must("REPLICAOF", "NO", "ONE");
    replica.must("SET", "own", state);
  }
}

/// There is nothing to read with, and nothing to read from, but the server stays up.
TEST_P(ReplicaofTest, FewFileDescriptors) {
  Server& master = start_master();
  Server& replica = start_replica();
  fill_dataset(master, {.large_values = 1});
  fill_old_dataset(replica);
  const auto allow = [&replica](rlim_t most) {
    rlimit limit{};
    ASSERT_EQ(prlimit(replica.pid(), RLIMIT_NOFILE, nullptr, &limit), 0);
    limit.rlim_cur = most;
    ASSERT_EQ(prlimit(replica.pid(), RLIMIT_NOFILE, &limit, nullptr), 0);
  };
  const auto open_now = [&replica] {
    const auto files =
        std::filesystem::directory_iterator("/proc/" + std::to_string(replica.pid()) + "/fd");
    return static_cast<rlim_t>(std::distance(begin(files), end(files)));
  };
  EXPECT_EQ(replica.must("PING").text, "PONG");  // this connection is accepted before
  const auto before = open_now();
  constexpr rlim_t kMostOfASync = 12;
  for (rlim_t more = 0; more < kMostOfASync; more++) {
    SCOPED_TRACE(more);
    allow(before + more);
    slaveof(replica, master);
    wait_until(
        "it is synced, or says why it cannot be",
        [&] {
          const auto told = status(replica);
          return told.at("state") == "synced" || mentions(told.at("last_sync_error"), "open files");
        },
        [&] { return describe_status(replica); });
    EXPECT_EQ(replica.must("PING").text, "PONG");
    slaveof_no_one(replica);
  }
  constexpr rlim_t kEnough = 1000;
  allow(kEnough);
  slaveof(replica, master);
  wait_synced(replica, master);
  EXPECT_TRUE(equal(master, replica));
  EXPECT_TRUE(replica.stop());
}

TEST_P(ReplicaofTest, MasterComesBackEmpty) {
  Server& master = start_master();
  Server& replica = start_replica();
  fill_dataset(master, {.large_values = 1});
  replicaof(replica, master);
  wait_synced(replica, master);
  master.kill();
  master.start();
  master.must("SET", "only", "this");
  wait_until("the replica is as empty", [&] { return replica.command("DBSIZE").number == 1; });
  wait_synced(replica, master);
  EXPECT_EQ(status(replica, "syncs_ok"), "2");
  EXPECT_EQ(master.info("stats", "total_forks"), "0");
  EXPECT_TRUE(equal(master, replica));
}

/// The replica has more than its master then.
TEST_P(ReplicaofTest, MasterComesBackFromAnOldDump) {
  Server& master = start_master();
  Server& replica = start_replica();
  fill_dataset(master, {.large_values = 1});
  replicaof(replica, master);
  wait_synced(replica, master);
  master.must("SAVE");
  {
    Writers writers(master, 1);
    writers.go_on(500);
    const long long offset = std::stoll(master.info("replication", "master_repl_offset"));
    wait_until("the replica has what the master will lose", [&] {
      return std::stoll(replica.info("replication", "slave_repl_offset")) > offset;
    });
    master.kill();
  }
  master.start();
  Writers writers(master, 2);
  wait_until("it is synced again", [&] { return status(replica, "syncs_ok") == "2"; });
  wait_synced(replica, master);
  writers.stop();
  EXPECT_EQ(master.info("stats", "total_forks"), "0");
  EXPECT_TRUE(equal(master, replica));
}

TEST_P(ReplicaofTest, EightReplicasUnderWriters) {
  Server& master = start_master();
  fill_dataset(master);
  constexpr int kReplicas = 8;
  std::vector<Server*> replicas;
  replicas.reserve(kReplicas);
  for (int i = 0; i < kReplicas; i++) {
    replicas.push_back(&start_server("replica-" + std::to_string(i), with_fabric()));
  }
  Writers writers(master, 1);
  for (Server* replica : replicas) {
    replicaof(*replica, master);
  }
  for (Server* replica : replicas) {
    wait_synced(*replica, master);
  }
  writers.stop();
  for (Server* replica : replicas) {
    EXPECT_TRUE(equal(master, *replica));
  }
  EXPECT_EQ(master.info("stats", "total_forks"), "0");
}

/// Each of the two commands takes over from the other.
TEST_P(ReplicaofTest, SlaveofTakesOverInEveryState) {
  Server& master = start_master();
  Server& other = start_server("other", with_fabric());
  Server& replica = start_replica();
  fill_dataset(master, {.large_values = 1});
  fill_dataset(other, {.small_keys = 10, .large_values = 1});
  for (const char* state : {"attaching", "pulling", "cutting", "waiting", "continuing"}) {
    SCOPED_TRACE(state);
    pause_at(replica, state);
    replicaof(replica, master);
    wait_state(replica, state);
    slaveof(replica, other);
    pause_at(replica, "none");
    wait_synced(replica, other);
    EXPECT_TRUE(equal(other, replica));
    wait_export_gone(master);
    replica.must("REPLICAOF", "NO", "ONE");
  }
}

TEST_P(ReplicaofTest, AwayFromItInEveryState) {
  Server& master = start_master();
  Server& replica = start_replica();
  fill_dataset(master, {.large_values = 1});
  for (const char* state : {"attaching", "pulling", "cutting", "waiting", "continuing"}) {
    SCOPED_TRACE(state);
    pause_at(replica, state);
    replicaof(replica, master);
    wait_state(replica, state);
    replica.must("REPLICAOF", "NO", "ONE");
    pause_at(replica, "none");
    EXPECT_EQ(replica.must("SET", "own", "write").text, "OK");
    wait_export_gone(master);
  }
  wait_settled(replica);
  replicaof(replica, master);
  wait_synced(replica, master);
  EXPECT_TRUE(equal(master, replica));
}

TEST_P(ReplicaofTest, MasterKilledInEveryState) {
  Server& master = start_master({.config = {"save 3600 1", "repl-ping-replica-period 1"}});
  Server& replica = start_replica({.config = {"repl-timeout 3"}});
  fill_dataset(master, {.large_values = 1});
  master.must("SAVE");
  for (const char* state : {"attaching", "pulling", "cutting", "waiting", "continuing"}) {
    SCOPED_TRACE(state);
    pause_at(replica, state);
    replicaof(replica, master);
    wait_state(replica, state);
    master.kill();
    pause_at(replica, "none");
    master.start();
    wait_synced(replica, master);
    EXPECT_TRUE(equal(master, replica));
    replica.must("REPLICAOF", "NO", "ONE");
    replica.must("SET", "own", state);
  }
}

}  // namespace
}  // namespace rdmasync::test

// What cannot work says why, at once or in last_sync_error, and harms nothing.

#include "harness/sync_test.h"
#include "tests/support/dataset.h"

namespace rdmasync::test {
namespace {

class BadInputTest : public SyncTest {
 protected:
  /// Starts a sync that must fail, and returns the reason that it tells.
  static std::string failure_of(Server& replica, const std::string& host, int port) {
    fill_old_dataset(replica);
    const Reply reply = replica.command("RDMASYNC.SLAVEOF", host, port);
    std::string reason = reply.is_error() ? reply.text : wait_error(replica);
    EXPECT_TRUE(has_old_dataset(replica));
    EXPECT_EQ(replica.must("RDMASYNC.SLAVEOF", "NO", "ONE").text, "OK");
    wait_state(replica, "idle");
    EXPECT_EQ(replica.must("SET", "own", "write").text, "OK");
    return reason;
  }
};

TEST_F(BadInputTest, ArgumentsThatCannotBeRight) {
  Server& server = start_server("replica");
  for (const Command& command :
       {Command{"RDMASYNC.SLAVEOF"}, Command{"RDMASYNC.SLAVEOF", "127.0.0.1"},
        Command{"RDMASYNC.SLAVEOF", "127.0.0.1", "0"}, Command{"RDMASYNC.SLAVEOF", "h", "70000"},
        Command{"RDMASYNC.SLAVEOF", "127.0.0.1", "port"}, Command{"RDMASYNC.SLAVEOF", "", "6379"},
        Command{"RDMASYNC.SLAVEOF", "127.0.0.1", "-1"},
        Command{"RDMASYNC.SLAVEOF", "127.0.0.1", "6379", "more"},
        Command{"RDMASYNC.REPLICAOF", "127.0.0.1", "0"}, Command{"RDMASYNC.TABLE", "COUNT"},
        Command{"RDMASYNC.TABLE", "COUNT", "-1"}, Command{"RDMASYNC.TABLE", "what"},
        Command{"RDMASYNC.STATUS", "more"}, Command{"RDMASYNC.EXPORT"},
        Command{"RDMASYNC.EXPORT", "ATTACH"}, Command{"RDMASYNC.EXPORT", "CUT"},
        Command{"RDMASYNC.EXPORT", "ATTACH", "99", "tcp", "1"},
        Command{"RDMASYNC.EXPORT", "ATTACH", "3", "carrier-pigeon", "1"}}) {
    Client client = server.connect();
    EXPECT_TRUE(client.run(command).is_error())
        << command.at(0) << ' ' << (command.size() > 1 ? command[1] + "..." : "");
  }
  EXPECT_EQ(status(server, "state"), "idle");
  EXPECT_EQ(server.must("PING").text, "PONG");
}

TEST_F(BadInputTest, NoSuchHost) {
  Server& replica = start_server("replica");
  EXPECT_TRUE(mentions(failure_of(replica, "no-such-host.invalid", 6379), "no-such-host.invalid"));
}

TEST_F(BadInputTest, NobodyListens) {
  Server& replica = start_server("replica");
  Server& gone = start_server("gone");
  gone.kill();
  EXPECT_TRUE(mentions(failure_of(replica, gone.host(), gone.port()), "refused"));
}

TEST_F(BadInputTest, MasterWithoutTheModule) {
  Server& replica = start_server("replica");
  Server& master = start_server("master", {.load_module = false});
  EXPECT_TRUE(mentions(failure_of(replica, master.host(), master.port()), "module"));
}

TEST_F(BadInputTest, Itself) {
  Server& replica = start_server("replica");
  EXPECT_TRUE(mentions(failure_of(replica, replica.host(), replica.port()), "this very server"));
}

TEST_F(BadInputTest, ClusterMode) {
  Server& replica = start_server("replica", {.config = {"cluster-enabled yes"}});
  Server& master = start_server("master");
  const Reply reply = replica.command("RDMASYNC.SLAVEOF", master.host(), master.port());
  EXPECT_TRUE(reply.is_error());
  EXPECT_TRUE(mentions(reply.text, "cluster"));
}

TEST_F(BadInputTest, InsideAScript) {
  Server& replica = start_server("replica");
  Server& master = start_server("master");
  fill_old_dataset(replica);
  Client client = replica.connect();
  EXPECT_TRUE(client
                  .command("EVAL", "return redis.call('RDMASYNC.SLAVEOF', ARGV[1], ARGV[2])", 0,
                           master.host(), master.port())
                  .is_error());
  EXPECT_EQ(status(replica, "state"), "idle");
  EXPECT_TRUE(has_old_dataset(replica));
}

/// No bad input: Sentinel sends REPLICAOF inside of a transaction, and so may send this.
TEST_F(BadInputTest, InsideATransactionItWorks) {
  Server& replica = start_server("replica");
  Server& master = start_server("master");
  fill_dataset(master, {.small_keys = 10, .large_values = 1});
  Client client = replica.connect();
  client.must("MULTI");
  client.command("RDMASYNC.SLAVEOF", master.host(), master.port());
  EXPECT_EQ(client.must("EXEC").elements.at(0).text, "OK");
  wait_synced(replica, master);
  client.must("MULTI");
  client.command("RDMASYNC.SLAVEOF", "NO", "ONE");
  EXPECT_EQ(client.must("EXEC").elements.at(0).text, "OK");
  EXPECT_EQ(replica.info("replication", "role"), "master");
}

TEST_F(BadInputTest, DebugCommandsNeedTheDebugConfig) {
  Server& server = start_server("replica");
  server.must("SET", "k", std::string(100, 'x'));
  EXPECT_TRUE(server.command("RDMASYNC.DEBUG", "POINTER", "k").is_error());
  EXPECT_TRUE(server.command("RDMASYNC.DEBUG", "PAUSE-AT", "pulling").is_error());
}

}  // namespace
}  // namespace rdmasync::test

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "harness/sync_test.h"
#include "tests/support/dataset.h"

// A server whose commands were renamed or disabled, in redis.conf or by an ACL: a sync is exact, or
// it is refused before anything is lost.
namespace rdmasync::test {
namespace {

class RenamedCommandsTest : public SyncTest {
 protected:
  static ServerOptions without(const std::string& command) {
    return {.config = {"rename-command " + command + " \"\""}};
  }

  /// The replica keeps what it has, and tells what is missing and where.
  void expect_refused(Server& replica, Server& master, const std::string& command,
                      const std::string& where) {
    replica.must("SET", "own", "old");
    const Reply reply = replica.command("RDMASYNC.SLAVEOF", master.host(), master.port());
    const std::string error = reply.is_error() ? reply.text : wait_error(replica);
    EXPECT_TRUE(mentions(error, command));
    EXPECT_TRUE(mentions(error, where));
    EXPECT_TRUE(mentions(error, "rename-command"));
    EXPECT_EQ(replica.must("GET", "own").text, "old");
    EXPECT_TRUE(replica.alive() && master.alive());
  }
};

class WithoutOnMasterTest : public RenamedCommandsTest,
                            public ::testing::WithParamInterface<const char*> {};
INSTANTIATE_TEST_SUITE_P(Commands, WithoutOnMasterTest,
                         ::testing::Values("DUMP", "MGET", "GET", "CLIENT", "COMMAND", "CONFIG",
                                           "DBSIZE", "FUNCTION", "MODULE", "HMGET", "SMISMEMBER",
                                           "ZMSCORE", "ZRANGE", "ZREVRANK"),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(WithoutOnMasterTest, TheSyncIsRefused) {
  Server& master = start_server("master", without(GetParam()));
  Server& replica = start_server("replica");
  master.must("SET", "key", "value");
  master.must("RPUSH", "list", "a", "b");
  expect_refused(replica, master, GetParam(), "the master");
}

class WithoutOnReplicaTest : public RenamedCommandsTest,
                             public ::testing::WithParamInterface<const char*> {};
INSTANTIATE_TEST_SUITE_P(Commands, WithoutOnReplicaTest,
                         ::testing::Values("REPLICAOF", "RESTORE", "CLIENT", "CONFIG", "FUNCTION",
                                           "MODULE", "HDEL", "HSET", "LPUSH", "LSET", "LTRIM",
                                           "RPUSH", "SADD", "SREM", "XSETID"),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(WithoutOnReplicaTest, TheSyncIsRefused) {
  Server& master = start_server("master");
  Server& replica = start_server("replica", without(GetParam()));
  master.must("SET", "key", "value");
  expect_refused(replica, master, GetParam(), "this server");
}

/// Which asks it for the keys that it hides.
TEST_F(RenamedCommandsTest, AMasterThatIsAReplicaHasToHaveMemory) {
  Server& top = start_server("top");
  Server& middle = start_server("middle", without("MEMORY"));
  Server& replica = start_server("replica");
  top.must("SET", "key", "value");
  slaveof(middle, top);
  wait_synced(middle, top);
  expect_refused(replica, middle, "MEMORY", "the master");
}

/// Without them, what they are for goes as a whole.
TEST_F(RenamedCommandsTest, AMasterMayLackWhatItReadsForParts) {
  Server& master =
      start_server("master", {.config = {"rename-command XINFO \"\"", "rename-command MEMORY \"\"",
                                         "rdmasync.part-elements 20"}});
  Server& replica = start_server("replica");
  for (int i = 1; i < 30; i++) {
    master.must("XADD", "stream", std::to_string(i), "field", random_bytes(i, 1000));
  }
  for (int i = 1; i < 18; i++) {
    master.must("RPUSH", "long list", random_bytes(i, 1000));
  }
  slaveof(replica, master);
  wait_synced(replica, master);
  EXPECT_EQ(replica.must("DEBUG", "DIGEST").text, master.must("DEBUG", "DIGEST").text);
  EXPECT_EQ(status(master, "export_parts"), "0");
}

/// With a stream that goes as a whole, and with one that goes in parts.
class RenamedXackTest : public RenamedCommandsTest,
                        public ::testing::WithParamInterface<const char*> {};
INSTANTIATE_TEST_SUITE_P(PartElements, RenamedXackTest, ::testing::Values("1024", "5"),
                         [](const auto& test) { return std::string("From") + test.param; });

TEST_P(RenamedXackTest, IsSeen) {
  Server& master =
      start_server("master", {.config = {"rename-command XACK DONE",
                                         std::string("rdmasync.part-elements ") + GetParam()}});
  Server& replica = start_server("replica", {.module_args = {"debug", "yes"}});
  master.must("XGROUP", "CREATE", "stream", "group", "0", "MKSTREAM");
  for (int i = 1; i < 10; i++) {
    master.must("XADD", "stream", "1-" + std::to_string(i), "field", i);
  }
  master.must("XREADGROUP", "GROUP", "group", "reader", "STREAMS", "stream", ">");
  pause_at(replica, "cutting");
  slaveof(replica, master);
  wait_state(replica, "cutting");
  master.must("DONE", "stream", "group", "1-1", "1-2", "1-3", "1-4", "1-5");
  pause_at(replica, "none");
  wait_synced(replica, master);
  EXPECT_TRUE(equal(master, replica));
  EXPECT_EQ(replica.must("XPENDING", "stream", "group").elements.at(0).number, 4);
  EXPECT_EQ(status_number(master, "export_parts") > 0, std::string(GetParam()) == "5");
}

TEST_F(RenamedCommandsTest, ANewNameOfAnOrdinaryCommandIsSeen) {
  Server& master =
      start_server("master", {.config = {"rename-command SET PUT", "rename-command DEL REMOVE"}});
  Server& replica = start_server("replica", {.module_args = {"debug", "yes"}});
  master.must("PUT", "gone", "value");
  master.must("PUT", "stays", "old");
  pause_at(replica, "cutting");
  slaveof(replica, master);
  wait_state(replica, "cutting");
  master.must("REMOVE", "gone");
  master.must("PUT", "stays", "new");
  pause_at(replica, "none");
  wait_synced(replica, master);
  EXPECT_TRUE(equal(master, replica));
}

TEST_F(RenamedCommandsTest, RightsOfUsersDoNotMatter) {
  Server& master = start_server("master");
  Server& replica = start_server("replica");
  fill_dataset(master, {.small_keys = 1000});
  master.must("ACL", "SETUSER", "default", "-dump", "-mget", "-get", "-dbsize", "-function");
  slaveof(replica, master);
  wait_synced(replica, master);
  master.must("ACL", "SETUSER", "default", "+@all");
  EXPECT_TRUE(equal(master, replica));
}

}  // namespace
}  // namespace rdmasync::test

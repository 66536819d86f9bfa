// The proof that the other tests prove something: with Redis's own replication, datasets and
// writers end equal, and what differs is found.

#include "harness/sync_test.h"
#include "tests/commands/writers.h"
#include "tests/support/dataset.h"

namespace rdmasync::test {
namespace {

ServerOptions plain() {
  return {.config = {"repl-diskless-sync-delay 0"}, .load_module = false};
}

void replicate_natively(Server& replica, Server& master) {
  replica.must("REPLICAOF", master.host(), master.port());
  wait_until("the native link is up",
             [&] { return replica.info("replication", "master_link_status") == "up"; });
}

class HarnessTest : public SyncTest {};

TEST_F(HarnessTest, DatasetIsEqualAfterNativeSync) {
  Server& master = start_server("master", plain());
  Server& replica = start_server("replica", plain());
  fill_dataset(master);
  replicate_natively(replica, master);
  EXPECT_TRUE(equal(master, replica, {.exact = true}));
}

/// Which refuses to stop, and forgets that it was told to.
TEST_F(HarnessTest, AServerStopsThatWritesItsFirstAof) {
  Server& server = start_server("server", plain());
  fill_dataset(server, {.small_keys = 1000, .large_values = 0});
  server.must("CONFIG", "SET", "rdb-key-save-delay", 1000);  // us
  server.must("CONFIG", "SET", "appendonly", "yes");
  wait_until("it writes the file",
             [&] { return server.info("persistence", "aof_rewrite_in_progress") == "1"; });
  EXPECT_TRUE(server.stop());
  EXPECT_TRUE(mentions(server.log(), "Writing initial AOF"));
}

class HarnessWritersTest : public SyncTest, public ::testing::WithParamInterface<int> {};
INSTANTIATE_TEST_SUITE_P(Seeds, HarnessWritersTest, ::testing::Range(0, 3));

TEST_P(HarnessWritersTest, EndEqualUnderNativeReplication) {
  Server& master = start_server("master", plain());
  Server& replica = start_server("replica", plain());
  fill_dataset(master, {.large_values = 0});
  Writers writers(master, GetParam());
  replicate_natively(replica, master);
  constexpr std::uint64_t kEnough = 20000;
  writers.go_on(kEnough);
  writers.stop();
  EXPECT_TRUE(equal(master, replica));
}

TEST_F(HarnessTest, DifferencesAreFound) {
  Server& master = start_server("master", plain());
  Server& replica = start_server("replica", plain());
  fill_dataset(master);
  replicate_natively(replica, master);
  ASSERT_TRUE(equal(master, replica));
  replica.must("CONFIG", "SET", "replica-read-only", "no");

  const auto difference_after = [&](const Command& change, const Command& undo) {
    replica.client().checked(change);
    std::string found = first_difference(master, replica);
    replica.client().checked(undo);
    return found;
  };
  const auto names = [](const std::string& difference, const char* what) {
    return difference.find(what) != std::string::npos
               ? ::testing::AssertionSuccess()
               : ::testing::AssertionFailure() << '"' << difference << "\" does not name " << what;
  };
  EXPECT_TRUE(names(difference_after({"SETRANGE", "small:59", "0", "?"}, {"PING"}), "small:59"));
  replica.must("SETRANGE", "small:59", 0, random_bytes(59, 1));
  EXPECT_TRUE(names(difference_after({"APPEND", "large:1", "x"}, {"DEL", "large:1"}), "large:1"));
  replica.must("SET", "large:1", random_bytes(1, 4 << 20));
  EXPECT_TRUE(names(difference_after({"PEXPIREAT", "ttl:hash", "8999999999999"},
                                     {"PEXPIREAT", "ttl:hash", "9000000000000"}),
                    "ttl:hash"));
  EXPECT_TRUE(names(difference_after({"SET", "extra", "1"}, {"DEL", "extra"}), "extra"));
  EXPECT_TRUE(names(difference_after({"TESTTYPE.SET", "testtype:empty", "x"},
                                     {"TESTTYPE.SET", "testtype:empty", ""}),
                    "testtype:empty"));
  EXPECT_TRUE(names(difference_after({"XGROUP", "CREATE", "stream:groups", "another", "0"},
                                     {"XGROUP", "DESTROY", "stream:groups", "another"}),
                    "stream:groups"));
  EXPECT_TRUE(names(difference_after({"FUNCTION", "DELETE", "otherlib"}, {"PING"}), "functions"));
}

}  // namespace
}  // namespace rdmasync::test

// Children of a master that save its dataset while its memory is registered for reading.

#include "harness/sync_test.h"
#include "tests/support/dataset.h"

namespace rdmasync::test {
namespace {

class ForkTest : public FabricTest {
 protected:
  /// A sync held where values of the master are registered in place.
  void SetUp() override {
    FabricTest::SetUp();
    if (IsSkipped()) {
      return;
    }
    constexpr long long kRing = 16LL << 20;
    master_ = &start_master({.config = {"rdmasync.export-memory 16mb"}});
    replica_ = &start_replica();
    fill_dataset(*master_, {.large_values = 16});
    wait_short_lived_gone(*master_);
    pause_at(*replica_, "pulling");
    slaveof(*replica_, *master_);
    wait_state(*replica_, "pulling");
    wait_until(
        "values are registered", [&] { return status_number(*master_, "pinned_bytes") > kRing; },
        [&] { return describe_status(*master_); });
  }
  Server& master() { return *master_; }

  void expect_sync_succeeds() {
    pause_at(*replica_, "none");
    wait_synced(*replica_, *master_);
    EXPECT_TRUE(equal(*master_, *replica_));
    EXPECT_EQ(status(*replica_, "syncs_failed"), "0") << status(*replica_, "last_sync_error");
    wait_export_gone(*master_);
  }

  /// Loads what the child has written, in a server that knows nothing of the master.
  void expect_loads_as(const std::string& expected, const std::string& file,
                       ServerOptions options) {
    Server& fresh = start_server("fresh", std::move(options));
    ASSERT_TRUE(fresh.stop());
    std::filesystem::remove_all(fresh.directory() / file);
    std::filesystem::copy(master_->directory() / file, fresh.directory() / file,
                          std::filesystem::copy_options::recursive);
    fresh.start();
    EXPECT_EQ(digest(fresh), expected);
  }

 private:
  Server* master_ = nullptr;
  Server* replica_ = nullptr;
};
RDMASYNC_FOR_EACH_FABRIC(ForkTest);

TEST_P(ForkTest, SnapshotWhileValuesAreRegistered) {
  const std::string expected = digest(master());
  master().must("BGSAVE");
  wait_until("the child is done",
             [&] { return master().info("persistence", "rdb_bgsave_in_progress") == "0"; });
  EXPECT_EQ(master().info("persistence", "rdb_last_bgsave_status"), "ok");
  expect_loads_as(expected, "dump.rdb", {});
  expect_sync_succeeds();
}

TEST_P(ForkTest, AppendOnlyFileWhileValuesAreRegistered) {
  master().must("CONFIG", "SET", "appendonly", "yes");  // which rewrites it, in a child
  const auto rewritten = [&] {
    const auto fields = master().info("persistence");
    return fields.at("aof_rewrite_in_progress") == "0" && fields.at("aof_rewrite_scheduled") == "0";
  };
  wait_until("the first child is done", rewritten);
  master().must("SET", "between", random_bytes(1, 100000));
  master().must("BGREWRITEAOF");
  wait_until("the second child is done", rewritten);
  EXPECT_EQ(master().info("persistence", "aof_last_bgrewrite_status"), "ok");
  expect_loads_as(digest(master()), "appendonlydir", {.config = {"appendonly yes"}});
  expect_sync_succeeds();
}

/// The device reads what the parent has, and the child what was there when it was forked.
TEST_P(ForkTest, WritesBesideTheChild) {
  const std::string expected = digest(master());
  master().must("CONFIG", "SET", "rdb-key-save-delay", "2000");
  master().must("BGSAVE");
  Client client = master().connect();
  for (int i = 0; i < 16; i++) {
    client.must("SETRANGE", "large:" + std::to_string(i), 1 << 20, random_bytes(i, 100000));
  }
  EXPECT_EQ(master().info("persistence", "rdb_bgsave_in_progress"), "1");
  expect_sync_succeeds();
  wait_until("the child is done",
             [&] { return master().info("persistence", "rdb_bgsave_in_progress") == "0"; });
  EXPECT_EQ(master().info("persistence", "rdb_last_bgsave_status"), "ok");
  expect_loads_as(expected, "dump.rdb", {});
}

}  // namespace
}  // namespace rdmasync::test

// As many keys as a server may have for whom each took more than a moment: names that are kept,
// tables that grow, a copy that lasts.

#include "harness/sync_test.h"
#include "tests/support/dataset.h"

namespace rdmasync::test {
namespace {

class ManyKeysTest : public SyncTest {};

TEST_F(ManyKeysTest, SixMillion) {
  const ServerOptions options{.module_args = fabric_args("cma")};
  Server& master = start_server("master", options);
  Server& replica = start_server("replica", options);
  constexpr int kKeys = 6'000'000;
  master.must("DEBUG", "POPULATE", kKeys);
  fill_old_dataset(replica);
  turn(replica, {"REPLICAOF", "127.0.0.1", std::to_string(master.port())});
  wait_synced(replica, master);
  EXPECT_EQ(replica.must("DBSIZE").text, std::to_string(kKeys));
  EXPECT_EQ(replica.must("DEBUG", "DIGEST").text, master.must("DEBUG", "DIGEST").text);
  EXPECT_EQ(master.info("stats", "total_forks"), "0");
}

}  // namespace
}  // namespace rdmasync::test

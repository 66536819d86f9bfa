#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "harness/sync_test.h"
#include "tests/support/dataset.h"

// A host without rdma-core: there, the libraries are files that are none, in a mount namespace of
// the server's own.
namespace rdmasync::test {
namespace {

class NoRdmaLibrariesTest : public SyncTest {
 protected:
  void SetUp() override {
    if (geteuid() != 0 || std::getenv("RDMASYNC_REDIS_SERVER") != nullptr) {
      GTEST_SKIP() << "needs root, and a server that uses the libraries of this machine";
    }
  }

  Server& start_without(const std::string& name, const std::string& fabric) {
    const std::string script =
        "for library in libibverbs.so.1 librdmacm.so.1; do "
        "mount --bind /dev/null /usr/lib/x86_64-linux-gnu/$library || exit 1; "
        "done; exec \"$@\"";
    return start_server(name, {.module_args = {"fabric", fabric},
                               .launcher = {"unshare", "--mount", "sh", "-c", script, "sh"}});
  }
};

TEST_F(NoRdmaLibrariesTest, TheModuleLoadsAndSyncs) {
  Server& master = start_without("master", "auto");
  Server& replica = start_without("replica", "auto");
  fill_dataset(master, {.small_keys = 100});
  slaveof(replica, master);
  wait_synced(replica, master);
  EXPECT_EQ(status(replica, "fabric"), "cma");
  EXPECT_TRUE(mentions(replica.log(), "not verbs: cannot open libibverbs.so.1"));
  EXPECT_TRUE(equal(master, replica));
}

TEST_F(NoRdmaLibrariesTest, InsistingOnVerbsNamesThem) {
  Server& master = start_without("master", "verbs");
  Server& replica = start_without("replica", "verbs");
  slaveof(replica, master);
  const std::string error = wait_error(replica);
  EXPECT_TRUE(mentions(error, "libibverbs.so.1"));
  EXPECT_TRUE(mentions(error, "apt install libibverbs1 librdmacm1"));
}

}  // namespace
}  // namespace rdmasync::test

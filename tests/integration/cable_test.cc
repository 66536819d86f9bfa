// The cable between master and replica is pulled out and put back: the one that Redis's own
// connections take, too, so that neither end hears of the other's closing them.

#include <tuple>

#include "harness/sync_test.h"
#include "harness/wire.h"
#include "tests/commands/writers.h"
#include "tests/support/dataset.h"

namespace rdmasync::test {
namespace {

using Case = std::tuple<std::string, std::string>;  // fabric, state

class CableTest : public SyncTest, public ::testing::WithParamInterface<Case> {
 protected:
  void SetUp() override {
    if (!has_wire()) {
      GTEST_SKIP() << "no wire that may be spoilt: scripts/rdma-vm has one";
    }
  }
  void TearDown() override {
    if (has_wire()) {
      wire("--mend");
    }
    SyncTest::TearDown();
  }

  Server& start(const std::string& name) {
    return start_server(name, {.config = {"bind 127.0.0.1 " + address_on_wire(),
                                          "protected-mode no", "repl-ping-replica-period 1",
                                          "repl-timeout 3", "rdmasync.replica-timeout 3"},
                               .module_args = fabric_args(std::get<0>(GetParam()))});
  }
  static const std::string& state() { return std::get<1>(GetParam()); }
};

INSTANTIATE_TEST_SUITE_P(Wire, CableTest,
                         ::testing::Values(Case{"tcp", "waiting"}, Case{"tcp", "attaching"},
                                           Case{"tcp", "pulling"}, Case{"tcp", "cutting"},
                                           Case{"tcp", "loading"}, Case{"tcp", "continuing"},
                                           Case{"verbs", "attaching"}, Case{"verbs", "cutting"}),
                         [](const auto& test) {
                           return std::get<0>(test.param) + "_" + std::get<1>(test.param);
                         });

TEST_P(CableTest, IsOutForAWhile) {
  Server& master = start("master");
  Server& replica = start("replica");
  fill_dataset(master, {.small_keys = 1000, .large_values = 2});
  fill_old_dataset(replica);
  Writers writers(master, 1);
  pause_at(replica, state());
  turn(replica, {"REPLICAOF", address_on_wire(), std::to_string(master.port())});
  wait_state(replica, state());
  wire("--cut");
  pause_at(replica, "none");
  wait_until(
      "both ends have given up",
      [&] {
        return status_number(master, "export_replicas") == 0 &&
               replica.info("replication").at("master_link_status") == "down" &&
               status(replica, "state") != state();
      },
      [&] { return describe_status(replica); });
  EXPECT_TRUE(has_old_dataset(replica) || has_lost_old_dataset(replica));
  writers.go_on(100);
  wire("--mend");
  wait_link_up(replica, master);
  writers.stop();
  EXPECT_TRUE(equal(master, replica));
  wait_export_gone(master);
}

}  // namespace
}  // namespace rdmasync::test

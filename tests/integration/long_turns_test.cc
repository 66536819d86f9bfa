#include <gtest/gtest.h>

#include <atomic>
#include <stop_token>
#include <thread>

#include "harness/sync_test.h"

namespace rdmasync::test {
namespace {

class LongTurnsTest : public SyncTest {};

/// Where every turn of the event loop is a long one, a slice of slice-us in each would make a sync
/// last for ever: it gets a share of the turn.
TEST_F(LongTurnsTest, GiveTheExportAShare) {
  constexpr int kKeys = 50'000;
  // Some 60 with a share, 400 without.
  constexpr int kMostTurns = 200;
  const char* script = "local sum = 0 for i = 1, 2000000 do sum = sum + i end return sum";
  Server& master = start_server("master", {.config = {"rdmasync.slice-us 50"}});
  Server& replica = start_server("replica");
  master.must("DEBUG", "POPULATE", kKeys, "key", 20);
  std::atomic<int> turns{0};
  std::jthread busy(
      [&turns, script, client = master.connect()](const std::stop_token& stop) mutable {
        for (; !stop.stop_requested(); ++turns) {
          client.must("EVAL", script, 0);
        }
      });
  wait_until("the client is on its way", [&] { return turns > 2; });
  const int before = turns;
  slaveof(replica, master);
  wait_synced(replica, master);
  EXPECT_LT(turns - before, kMostTurns);
  busy.request_stop();
  busy.join();
  EXPECT_TRUE(equal(master, replica));
}

}  // namespace
}  // namespace rdmasync::test

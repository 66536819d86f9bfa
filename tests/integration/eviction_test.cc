// How recently and how often keys were used, where the eviction policy asks for it.

#include <array>

#include "harness/sync_test.h"
#include "tests/support/dataset.h"

namespace rdmasync::test {
namespace {

class EvictionTest : public FabricTest {};
RDMASYNC_FOR_EACH_FABRIC(EvictionTest);

constexpr std::array kNames = {"int", "small", "large", "list", "testtype"};

void fill(Client& client) {
  client.must("SET", "int", "7000");
  client.must("SET", "small", "value");
  client.must("SET", "large", random_bytes(1, 1 << 20));
  client.must("RPUSH", "list", "a", "b");
  client.must("TESTTYPE.SET", "testtype", "value");
}

TEST_P(EvictionTest, Frequency) {
  // Every use counts, and nothing decays: the counters are exact.
  const ServerOptions options{
      .config = {"maxmemory-policy allkeys-lfu", "lfu-log-factor 0", "lfu-decay-time 0"}};
  Server& master = start_master(options);
  Server& replica = start_replica(options);
  Client client = master.connect();
  fill(client);
  int uses = 10;
  for (const char* key : kNames) {
    for (int i = 0; i < uses; i++) {
      client.must("EXISTS", key);
      client.must("TOUCH", key);
    }
    uses += 10;
  }
  slaveof(replica, master);
  wait_synced(replica, master);
  for (const char* key : kNames) {
    const long long expected = master.must("OBJECT", "FREQ", key).number;
    EXPECT_GE(expected, 10) << key;
    EXPECT_EQ(replica.must("OBJECT", "FREQ", key).number, expected) << key;
  }
}

TEST_P(EvictionTest, IdleTime) {
  const ServerOptions options{.config = {"maxmemory-policy allkeys-lru"}};
  Server& master = start_master(options);
  Server& replica = start_replica(options);
  Client client = master.connect();
  fill(client);
  constexpr long long kIdleSeconds = 5000;
  for (const char* key : kNames) {
    const std::string value = client.must("DUMP", key).text;
    client.must("RESTORE", key, 0, value, "REPLACE", "IDLETIME", kIdleSeconds);
  }
  slaveof(replica, master);
  wait_synced(replica, master);
  for (const char* key : kNames) {
    EXPECT_GE(replica.must("OBJECT", "IDLETIME", key).number, kIdleSeconds) << key;
  }
  EXPECT_TRUE(equal(master, replica));
}

/// A full master: its evictions during the sync reach the replica, which evicts nothing itself.
TEST_P(EvictionTest, EvictionDuringTheSync) {
  Server& master = start_master({.config = {"maxmemory 48mb", "maxmemory-policy allkeys-random"}});
  Server& replica = start_replica({.config = {"maxmemory 48mb"}});
  Client client = master.connect();
  int next = 0;
  const auto write_megabytes = [&](int megabytes) {
    constexpr int kPerMegabyte = 20;
    Pipeline pipeline(client);
    for (int i = 0; i < megabytes * kPerMegabyte; i++) {
      pipeline.add("SET", "k:" + std::to_string(next), random_bytes(next, 50000 + next % 40000));
      next++;
    }
    pipeline.finish();
  };
  write_megabytes(30);
  pause_at(replica, "cutting");
  slaveof(replica, master);
  wait_state(replica, "cutting");
  write_megabytes(60);
  EXPECT_NE(master.info("stats", "evicted_keys"), "0");
  pause_at(replica, "none");
  wait_synced(replica, master);
  EXPECT_TRUE(equal(master, replica));
}

/// The master's limit is raised from the cut on; an operator's new one is not undone after it.
TEST_P(EvictionTest, ALimitThatIsSetMeanwhileStays) {
  Server& master = start_master({.config = {"maxmemory 64mb", "repl-backlog-size 1mb"}});
  Server& replica = start_replica();
  fill_dataset(master, {.small_keys = 1000});
  pause_at(replica, "loading");
  slaveof(replica, master);
  wait_state(replica, "loading");
  EXPECT_NE(master.config("maxmemory"), std::to_string(64 << 20));
  master.must("CONFIG", "SET", "maxmemory", "512mb");
  pause_at(replica, "none");
  wait_synced(replica, master);
  wait_until("the backlog's size is put back",
             [&] { return master.config("repl-backlog-size") == std::to_string(1 << 20); });
  EXPECT_EQ(master.config("maxmemory"), std::to_string(512 << 20));
  EXPECT_TRUE(equal(master, replica));
}

}  // namespace
}  // namespace rdmasync::test

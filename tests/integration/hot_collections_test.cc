// Large hashes, sets, sorted sets and lists go in parts, and of what is written meanwhile just the
// elements that are named go again, and of lists what their ends have become.

#include <atomic>
#include <functional>
#include <thread>

#include "harness/sync_test.h"
#include "tests/support/dataset.h"

namespace rdmasync::test {
namespace {

constexpr int kElements = 5000;

std::string element(int i) {
  return "element " + std::to_string(i);
}

class HotCollectionsTest : public FabricTest {
 protected:
  void SetUp() override {
    FabricTest::SetUp();
    if (IsSkipped()) {
      return;
    }
    master_ = &start_master({.config = {"rdmasync.part-elements 100"}});
    replica_ = &start_replica();
    fill_old_dataset(*replica_);
    for (const char* name : {"hash", "set", "zset", "list"}) {
      fill(name, kElements);
    }
  }
  Server& master() { return *master_; }
  Server& replica() { return *replica_; }

  /// A hash, a set, a sorted set or a list, under that name or another one.
  void fill(const std::string& type, int elements, const std::string& name = {}) {
    const std::string& key = name.empty() ? type : name;
    Pipeline pipeline(master().client());
    for (int i = 0; i < elements; i++) {
      if (type == "hash") {
        pipeline.add("HSET", key, element(i), random_bytes(i, i % 50));
      } else if (type == "set") {
        pipeline.add("SADD", key, element(i));
      } else if (type == "list") {
        pipeline.add("RPUSH", key, random_bytes(i, i % 50));
      } else {
        pipeline.add("ZADD", key, i % 2 == 0 ? "0.1" : std::to_string(i), element(i));
      }
    }
    pipeline.finish();
  }

  /// The sync, up to where all that there is now is published.
  void begin() {
    pause_at(replica(), "cutting");
    slaveof(replica(), master());
    wait_state(replica(), "cutting");
  }
  void finish() {
    pause_at(replica(), "none");
    wait_synced(replica(), master());
    EXPECT_TRUE(equal(master(), replica(), {.exact = true}));
    wait_export_gone(master());
  }
  /// What has been published of them since then is no more than `most` parts.
  void expect_few_parts_since(long long before, int most) {
    EXPECT_EQ(status(master(), "export_packed"), "0");
    EXPECT_GT(status_number(master(), "export_parts"), before);
    EXPECT_LE(status_number(master(), "export_parts"), before + most);
  }
  long long parts() { return status_number(master(), "export_parts"); }

  /// Whether its command filters know the client: since Redis 7.2.
  bool tells_whose_command() {
    return !master().info("server").at("redis_version").starts_with("7.0.");
  }
  bool fields_end() {
    return !master().must("COMMAND", "INFO", "HPEXPIRE").elements.at(0).is_nil();
  }

 private:
  Server* master_ = nullptr;
  Server* replica_ = nullptr;
};
RDMASYNC_FOR_EACH_FABRIC(HotCollectionsTest);

TEST_P(HotCollectionsTest, GoInParts) {
  begin();
  EXPECT_EQ(status(master(), "export_packed"), "0");
  EXPECT_GT(parts(), 4 * kElements / 200);
  finish();
}

TEST_P(HotCollectionsTest, SoDoThoseOfFewLongElements) {
  const auto value = [](int i) { return random_bytes(i, 20'000); };
  for (int i = 0; i < 40; i++) {
    master().must("HSET", "long hash", element(i), value(i));
    master().must("SADD", "long set", value(i));
    master().must("ZADD", "long zset", i, value(i));
    master().must("RPUSH", "long list", value(i));
    master().must("XADD", "long stream", "*", "field", value(i));
  }
  begin();
  EXPECT_EQ(status(master(), "export_packed"), "0");
  const long long before = parts();
  master().must("HSET", "long hash", element(1), value(101));
  master().must("SREM", "long set", value(1));
  master().must("ZADD", "long zset", 5, value(1));
  master().must("LPUSH", "long list", value(101));
  master().must("XADD", "long stream", "*", "field", value(101));
  finish();
  expect_few_parts_since(before, 6);
}

TEST_P(HotCollectionsTest, WhatIsNamedGoesAgain) {
  begin();
  const long long before = parts();
  master().must("HSET", "hash", element(1), "written", "a new field", "v");
  master().must("HINCRBY", "hash", "count", 5);
  master().must("HINCRBYFLOAT", "hash", "count", "0.5");
  master().must("HSETNX", "hash", element(2), "is there");
  master().must("HDEL", "hash", element(3), element(4), "is not there");
  master().must("SADD", "set", element(1), "a new member");
  master().must("SREM", "set", element(2));
  master().must("SMOVE", "set", "elsewhere", element(3));
  master().must("ZADD", "zset", "INCR", "0.1", element(1));
  master().must("ZADD", "zset", "-inf", element(5), "1e300", "a new member");
  master().must("ZINCRBY", "zset", "0.3", element(2));
  master().must("ZREM", "zset", element(3));
  master().must("GEOADD", "zset", "13.361389", "38.115556", "Palermo");
  master().must("EXPIRE", "zset", 1000);
  master().must("DEL", "elsewhere");
  finish();
  expect_few_parts_since(before, 3);
}

TEST_P(HotCollectionsTest, AlsoWhatAScriptNames) {
  begin();
  const long long before = parts();
  master().must("EVAL",
                "for i = 1, 100 do "
                "  redis.call('HSET', KEYS[1], 'element ' .. i, 'by a script') "
                "  redis.call('SREM', KEYS[2], 'element ' .. i) "
                "  redis.call('ZINCRBY', KEYS[3], 1, 'element ' .. i) "
                "end",
                3, "hash", "set", "zset");
  finish();
  expect_few_parts_since(before, 12);
}

TEST_P(HotCollectionsTest, TheEndsOfAList) {
  begin();
  const long long before = parts();
  master().must("RPUSH", "list", "pushed", "at the right");
  master().must("LPUSH", "list", "pushed", "at the left");
  master().must("RPUSHX", "list", "x");
  master().must("LPOP", "list", 5);
  master().must("RPOP", "list");
  master().must("LMPOP", 1, "list", "RIGHT", "COUNT", 2);
  master().must("LTRIM", "list", 10, -10);
  master().must("LSET", "list", 7, "replaced");
  master().must("LSET", "list", -7, "replaced, too");
  master().must("LMOVE", "list", "list", "LEFT", "RIGHT");
  master().must("RPOPLPUSH", "list", "list");
  master().must("RPOPLPUSH", "list", "elsewhere");
  master().must("LMOVE", "elsewhere", "list", "LEFT", "RIGHT");
  master().must("PEXPIRE", "list", 1'000'000);
  master().must("MULTI");
  master().must("LPUSH", "list", "in a transaction");
  master().must("RPOP", "list");
  master().must("EXEC");
  master().must("EVAL",
                "redis.call('LPUSH', KEYS[1], 'by a script') redis.call('LTRIM', KEYS[1], 0, 4000)",
                1, "list");
  finish();
  expect_few_parts_since(before, 4);
}

/// A client that waits for it is served after the push, and nobody names that.
TEST_P(HotCollectionsTest, AListThatIsWaitedFor) {
  begin();
  const long long before = parts();
  Client waiting = master().connect();
  waiting.append({"BLMOVE", "empty", "list", "LEFT", "LEFT", "0"});
  waiting.append({"BLPOP", "empty", "list", "0"});
  waiting.flush();
  wait_until("it waits", [&] { return master().info("clients").at("blocked_clients") == "1"; });
  master().must("RPUSH", "empty", "pushed");
  EXPECT_EQ(waiting.receive().text, "pushed");
  waiting.receive();
  finish();
  expect_few_parts_since(before, 2);
}

TEST_P(HotCollectionsTest, WhatIsInTheMidstOfAListMakesItWhole) {
  begin();
  const long long before = parts();
  master().must("RPUSH", "list", "pivot");
  master().must("LINSERT", "list", "BEFORE", "pivot", "inserted");
  master().must("LREM", "list", 1, "pivot");
  master().must("MULTI");
  master().must("LTRIM", "list", 1, -2);
  master().must("RPOPLPUSH", "list", "list");
  master().must("EXEC");
  finish();
  EXPECT_EQ(status(master(), "export_packed"), "0");
  EXPECT_GT(parts(), before + kElements / 200);
}

TEST_P(HotCollectionsTest, AnotherLifeOfAList) {
  begin();
  master().must("LPUSH", "list", "former life");
  master().must("DEL", "list");
  fill("list", 300);
  master().must("RPUSH", "hash list", "x");
  master().must("DEL", "hash");
  fill("list", 300, "hash");
  master().must("LPOP", "hash", 299);
  finish();
}

/// Another round reads all of it.
TEST_P(HotCollectionsTest, WhatNamesNothingMakesItWhole) {
  begin();
  const long long before = parts();
  master().must("SPOP", "set", 7);
  master().must("ZREMRANGEBYRANK", "zset", 0, 99);
  finish();
  EXPECT_EQ(status(master(), "export_packed"), "0");
  EXPECT_GT(parts(), before + 2 * kElements / 200);
}

TEST_P(HotCollectionsTest, WhatATransactionNames) {
  begin();
  const long long before = parts();
  master().must("MULTI");
  master().must("HSET", "hash", "discarded", "x");
  master().must("DISCARD");
  master().must("HSET", "hash", element(4), "by itself");
  Client other = master().connect();
  other.must("MULTI");
  master().must("MULTI");
  other.must("HSET", "hash", element(1), "by the other one");
  EXPECT_TRUE(other.command("MULTI").is_error());
  other.must("HSET", "hash", element(5), "by the other one, too");
  master().must("HSETNX", "hash", element(2), "is there");
  master().must("HSET", "hash", element(3), "in a transaction");
  master().must("SREM", "set", element(1));
  master().must("ZINCRBY", "zset", 1, element(1));
  master().must("LPUSH", "list", "in a transaction");
  master().must("LTRIM", "list", 0, 4900);
  other.command("EXEC");  // Valkey 9 refuses it for the second MULTI
  master().must("EXEC");
  finish();
  if (tells_whose_command()) {
    expect_few_parts_since(before, 6);
  }
}

/// A transaction that had begun before anybody watched has named nothing.
TEST_P(HotCollectionsTest, ATransactionThatIsOpen) {
  Client other = master().connect();
  other.must("MULTI");
  other.must("HSET", "hash", element(1), "queued before");
  begin();
  other.must("HSET", "hash", element(2), "queued later");
  other.must("SREM", "set", element(2));
  other.must("EXEC");
  finish();
}

/// What a script named, and did not do, is not what the transaction does next.
TEST_P(HotCollectionsTest, AScriptInATransaction) {
  begin();
  master().must("MULTI");
  master().must("EVAL", "return redis.call('HSETNX', KEYS[1], ARGV[1], 'x')", 1, "hash",
                element(1));
  master().must("HSET", "hash", element(2), "queued");
  master().must("EVAL", "return redis.call('SREM', KEYS[1], 'not there')", 1, "set");
  master().must("SREM", "set", element(2));
  master().must("EVAL", "return redis.call('ZADD', KEYS[1], 'NX', 5, ARGV[1])", 1, "zset",
                element(1));
  master().must("ZADD", "zset", 7, element(2));
  master().must("EXEC");
  finish();
}

/// Nothing of its former life is in the next one.
TEST_P(HotCollectionsTest, AnotherLife) {
  begin();
  master().must("HSET", "hash", "former", "life");
  master().must("DEL", "hash");
  fill("hash", 300);
  master().must("EXPIRE", "set", -1);
  master().must("SADD", "set", "next life");
  master().must("ZADD", "zset", 1, "former life");
  master().must("DEL", "zset");
  fill("hash", 300, "zset");
  finish();
}

TEST_P(HotCollectionsTest, AnotherName) {
  begin();
  master().must("HSET", "hash", "former", "name");
  master().must("RENAME", "hash", "renamed");
  master().must("HSET", "renamed", "next", "name");
  master().must("RENAME", "set", "hash");
  master().must("SADD", "hash", "is a set now");
  master().must("COPY", "zset", "set");
  master().must("ZADD", "set", 1, "is a sorted set now");
  finish();
}

TEST_P(HotCollectionsTest, AnotherDatabase) {
  begin();
  master().must("HSET", "hash", "former", "database");
  master().must("SWAPDB", 0, 3);
  master().must("HSET", "hash", "a new one", "of that name");
  master().must("SELECT", 3);
  master().must("HSET", "hash", "next", "database");
  master().must("SADD", "set", "next database");
  finish();
}

TEST_P(HotCollectionsTest, ItBecomesEmpty) {
  begin();
  Pipeline pipeline(master().client());
  for (int i = 0; i < kElements; i++) {
    pipeline.add(i % 2 == 0 ? "LPOP" : "RPOP", "list");
    pipeline.add("SREM", "set", element(i));
    pipeline.add("HDEL", "hash", element(i));
  }
  pipeline.finish();
  master().must("HSET", "hash", "again", "there");
  finish();
}

/// Then commands run after others that came later.
TEST_P(HotCollectionsTest, WritesThatAreHeldBack) {
  begin();
  master().must("CLIENT", "PAUSE", 100'000, "WRITE");
  Client first = master().connect();
  first.append({"HSET", "hash", "first", "held back"});
  first.flush();
  wait_until("it is held back",
             [&] { return master().info("clients").at("blocked_clients") == "1"; });
  master().must("CLIENT", "UNPAUSE");
  EXPECT_FALSE(first.receive().is_error());
  master().must("SADD", "set", "after it");
  finish();
}

TEST_P(HotCollectionsTest, FieldsHaveTheirTimes) {
  if (!fields_end()) {
    GTEST_SKIP() << "fields of hashes have no times on this server";
  }
  for (int i = 0; i < 200; i++) {
    master().must("HPEXPIRE", "hash", i < 100 ? 1000 : 1'000'000 + i, "FIELDS", 1, element(i));
  }
  begin();
  const long long before = parts();
  master().must("HPEXPIRE", "hash", 500'000, "FIELDS", 2, element(300), element(301));
  master().must("HPERSIST", "hash", "FIELDS", 1, element(150));
  master().must("HSET", "hash", element(151), "has no time any more");
  master().must("HPEXPIRE", "hash", 0, "FIELDS", 1, element(302));
  wait_until("fields have ended",
             [&] { return master().must("HLEN", "hash").number == kElements - 101; });
  finish();
  expect_few_parts_since(before, 5);
}

/// Of all, from the first slice to the cut.
TEST_P(HotCollectionsTest, UnderWriters) {
  std::atomic<bool> stop = false;
  std::vector<std::thread> writers;
  for (const int seed : {1, 2}) {
    writers.emplace_back([&, seed] {
      Client client = master().connect();
      for (int i = seed; !stop; i = (i + 7919) % 1'000'000) {
        const std::string name = element(i % (kElements + 500));
        client.must("HSET", "hash", name, i);
        client.must("HDEL", "hash", element(i * 3 % kElements));
        client.must("SADD", "set", name);
        client.must("SREM", "set", element(i * 3 % kElements));
        client.must("ZADD", "zset", i % 1000, name);
        client.must("ZREM", "zset", element(i * 3 % kElements));
        client.must(i % 2 == 0 ? "LPUSH" : "RPUSH", "list", i, i + 1);
        client.must(i % 3 == 0 ? "LPOP" : "RPOP", "list", 2);
        client.must("LSET", "list", i % kElements / 2, i);
        client.must("RPOPLPUSH", "list", "list");
      }
    });
  }
  slaveof(replica(), master());
  wait_synced(replica(), master());
  stop = true;
  for (std::thread& writer : writers) {
    writer.join();
  }
  EXPECT_TRUE(equal(master(), replica()));
  EXPECT_EQ(status(master(), "export_packed"), "0");
}

}  // namespace
}  // namespace rdmasync::test

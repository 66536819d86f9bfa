// Large streams go in parts, and of what is written meanwhile just what is new, the ids of what is
// deleted, and their groups.

#include <atomic>
#include <thread>

#include "harness/sync_test.h"
#include "tests/support/dataset.h"

namespace rdmasync::test {
namespace {

constexpr int kEntries = 5000;

class HotStreamsTest : public FabricTest {
 protected:
  void SetUp() override {
    FabricTest::SetUp();
    if (IsSkipped()) {
      return;
    }
    master_ = &start_master({.config = {"rdmasync.part-elements 100"}});
    replica_ = &start_replica();
    fill_old_dataset(*replica_);
    Pipeline pipeline(master().client());
    for (int i = 1; i <= kEntries; i++) {
      pipeline.add("XADD", "stream", std::to_string(i) + "-1", "name", random_bytes(i, i % 50), "i",
                   i);
    }
    pipeline.add("XGROUP", "CREATE", "stream", "idle", "$");
    pipeline.add("XGROUP", "CREATE", "stream", "group", "0");
    pipeline.add("XREADGROUP", "GROUP", "group", "one", "COUNT", 30, "STREAMS", "stream", ">");
    pipeline.add("XREADGROUP", "GROUP", "group", "two", "COUNT", 20, "STREAMS", "stream", ">");
    pipeline.add("XACK", "stream", "group", "3-1", "40-1");
    pipeline.add("XDEL", "stream", "2-1", "7-1", "4000-1");
    pipeline.finish();
  }
  Server& master() { return *master_; }
  Server& replica() { return *replica_; }

  /// The sync, up to where all that there is now is published.
  void begin() {
    pause_at(replica(), "cutting");
    slaveof(replica(), master());
    wait_state(replica(), "cutting");
    before_ = parts();
  }
  void finish() {
    pause_at(replica(), "none");
    wait_synced(replica(), master());
    EXPECT_TRUE(equal(master(), replica(), {.exact = true}));
    wait_export_gone(master());
  }
  void expect_few_parts(int most) {
    EXPECT_EQ(status(master(), "export_packed"), "0");
    EXPECT_GT(parts(), before_);
    EXPECT_LE(parts(), before_ + most);
  }
  long long parts() { return status_number(master(), "export_parts"); }

 private:
  Server* master_ = nullptr;
  Server* replica_ = nullptr;
  long long before_ = 0;
};
RDMASYNC_FOR_EACH_FABRIC(HotStreamsTest);

TEST_P(HotStreamsTest, GoInParts) {
  begin();
  EXPECT_GT(parts(), kEntries / 100);
  finish();
  EXPECT_EQ(status(master(), "export_packed"), "0");
}

TEST_P(HotStreamsTest, WhatIsAddedTrimmedAndDeleted) {
  begin();
  master().must("XADD", "stream", "*", "f", "added");
  master().must("XADD", "stream", "MAXLEN", 4900, "*", "f", "added");
  master().must("XTRIM", "stream", "MINID", "120-0");
  master().must("XDEL", "stream", "1-1", "200", "201-1", "5000-1", "99999-1");
  master().must("PEXPIRE", "stream", 1'000'000);
  master().must("EVAL",
                "redis.call('XADD', KEYS[1], '*', 'f', 'by a script') "
                "redis.call('XDEL', KEYS[1], '301-1')",
                1, "stream");
  finish();
  expect_few_parts(2);
}

TEST_P(HotStreamsTest, ATransaction) {
  begin();
  master().must("MULTI");
  master().must("XADD", "stream", "*", "f", "in a transaction");
  master().must("XDEL", "stream", "300-1");
  master().must("XDEL", "stream", "301-1", "302-1");
  master().must("XTRIM", "stream", "MINID", "120-0");
  master().must("EXEC");
  finish();
  // Whose command it is that was queued, the filter tells from 7.2 on.
  if (!master().info("server").at("redis_version").starts_with("7.0.")) {
    expect_few_parts(2);
  }
}

/// Nothing tells of that.
TEST_P(HotStreamsTest, WhatItsGroupsDo) {
  begin();
  const auto group = [&](auto... words) { master().must(words...); };
  group("XREADGROUP", "GROUP", "group", "one", "COUNT", 10, "STREAMS", "stream", ">");
  group("XREADGROUP", "GROUP", "group", "two", "COUNT", 10, "NOACK", "STREAMS", "stream", ">");
  group("XACK", "stream", "group", "5-1", "6-1");
  group("XCLAIM", "stream", "group", "two", 0, "8-1", "9-1", "RETRYCOUNT", 7, "TIME", 123456);
  group("XAUTOCLAIM", "stream", "group", "two", 0, "10-1", "COUNT", 3);
  finish();
  expect_few_parts(2);
}

TEST_P(HotStreamsTest, GroupsThatComeAndGo) {
  begin();
  const auto group = [&](auto... words) { master().must(words...); };
  group("XREADGROUP", "GROUP", "group", "three", "COUNT", 10, "STREAMS", "stream", ">");
  group("XCLAIM", "stream", "group", "four", 0, "8-1", "9-1");
  group("XGROUP", "CREATE", "stream", "new", "17-1", "ENTRIESREAD", 16);
  group("XGROUP", "CREATECONSUMER", "stream", "new", "somebody");
  group("XGROUP", "DELCONSUMER", "stream", "group", "one");
  group("XGROUP", "SETID", "stream", "idle", "44-1");
  finish();
  expect_few_parts(2);
}

/// Whose entry it is that comes, is known when it comes.
TEST_P(HotStreamsTest, AReaderThatWaits) {
  Client waiting = master().connect();
  waiting.append({"XREADGROUP", "GROUP", "idle", "waits", "BLOCK", "0", "STREAMS", "stream", ">"});
  waiting.flush();
  wait_until("it waits", [&] { return master().info("clients").at("blocked_clients") == "1"; });
  begin();
  master().must("XADD", "stream", "*", "f", "is waited for");
  waiting.receive();
  finish();
}

TEST_P(HotStreamsTest, ItBecomesEmpty) {
  begin();
  master().must("XTRIM", "stream", "MAXLEN", 0);
  finish();
  expect_few_parts(2);
}

/// An id may come again then.
TEST_P(HotStreamsTest, ALastIdThatIsSetBack) {
  begin();
  master().must("XTRIM", "stream", "MAXLEN", 0);
  master().must("XSETID", "stream", "4500-1");
  master().must("XADD", "stream", "4600-1", "f", "another one of that id");
  finish();
}

TEST_P(HotStreamsTest, AnotherLife) {
  begin();
  master().must("DEL", "stream");
  for (int i = 1; i <= 200; i++) {
    master().must("XADD", "stream", std::to_string(i), "f", "of another life");
  }
  finish();
}

TEST_P(HotStreamsTest, AnotherDatabase) {
  begin();
  master().must("SWAPDB", 0, 5);
  Client client = master().connect();
  client.must("SELECT", 5);
  client.must("XADD", "stream", "*", "f", "there");
  client.must("XREADGROUP", "GROUP", "group", "one", "STREAMS", "stream", ">");
  finish();
}

/// To tell of that takes longer than to dump the stream.
TEST_P(HotStreamsTest, OneOfWhichMuchIsPendingGoesAsAWhole) {
  master().must("XREADGROUP", "GROUP", "group", "one", "STREAMS", "stream", ">");
  begin();
  finish();
  EXPECT_EQ(status(master(), "export_packed"), "1");
  EXPECT_EQ(parts(), 0);
  EXPECT_EQ(status(master(), "export_whole_in_cut"), "0");
}

TEST_P(HotStreamsTest, SoDoesOneOfWhichMuchComesToBePending) {
  begin();
  master().must("XREADGROUP", "GROUP", "group", "one", "STREAMS", "stream", ">");
  finish();
  EXPECT_EQ(status(master(), "export_packed"), "1");
}

/// From the first slice to the cut.
TEST_P(HotStreamsTest, UnderWriters) {
  Pipeline more(master().client());
  constexpr int kAll = 200'000;
  for (int i = kEntries + 1; i <= kAll; i++) {
    more.add("XADD", "stream", std::to_string(i) + "-1", "i", i);
  }
  more.finish();
  std::atomic<bool> stop = false;
  std::vector<std::thread> writers;
  for (const std::string& name : {std::string("one"), std::string("two")}) {
    writers.emplace_back([&, name] {
      Client client = master().connect();
      for (int i = 1; !stop; i++) {
        client.must("XADD", "stream", "MAXLEN", "~", kAll, "*", "f", i);
        client.must("XREADGROUP", "GROUP", "group", name, "COUNT", 2, "STREAMS", "stream", ">");
        client.must("XACK", "stream", "group", std::to_string(i) + "-1");
        client.must("XDEL", "stream", std::to_string(i * 37 % kAll) + "-1");
        client.must("XAUTOCLAIM", "stream", "group", name, 0, "0", "COUNT", 1);
        client.must("XTRIM", "stream", "MAXLEN", kAll);
        if (i % 100 == 0) {  // with all that is pending
          client.must("XGROUP", "DELCONSUMER", "stream", "group", name);
        }
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
  EXPECT_GT(parts(), 0);
  EXPECT_EQ(status(master(), "export_packed"), "0");
}

}  // namespace
}  // namespace rdmasync::test

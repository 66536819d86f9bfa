#include "module/master/queued_changes.h"

#include <gtest/gtest.h>

namespace rdmasync::master {
namespace {

class QueuedChangesTest : public ::testing::Test {
 protected:
  void queue(QueuedChanges::Client client, std::vector<std::string_view> words) {
    queued_.add(client, changes_named_by(words));
  }
  /// What is named, or "-".
  std::string named(std::string_view event, std::string_view key) {
    const NamedChange* const change = queued_.named(event, key);
    if (change == nullptr) {
      return "-";
    }
    std::string out;
    for (const std::string& element : change->elements) {
      out += element + " ";
    }
    for (const ByteRange& range : change->ranges) {
      out += std::to_string(range.begin) + ".." + std::to_string(range.end) + " ";
    }
    if (change->list && change->list->kept) {
      out += "kept " + std::to_string(change->list->kept->first);
    }
    return out;
  }

  QueuedChanges queued_;
};

TEST_F(QueuedChangesTest, AreThoseOfTheTransactionThatRuns) {
  queued_.begin(1);
  queued_.begin(2);
  queue(1, {"HSET", "k", "a", "1"});
  queue(2, {"HSET", "k", "b", "1"});
  EXPECT_EQ(named("hset", "k"), "-");
  queued_.run(2);
  EXPECT_EQ(named("hset", "k"), "b ");
  queued_.run(1);
  EXPECT_EQ(named("hset", "k"), "a ");
  EXPECT_EQ(named("hset", "l"), "-");
  EXPECT_TRUE(queued_.runs());
  queued_.end_run();
  EXPECT_FALSE(queued_.runs());
  EXPECT_EQ(named("hset", "k"), "-");
  queued_.run(1);
  EXPECT_EQ(named("hset", "k"), "-");
}

TEST_F(QueuedChangesTest, OfAStream) {
  queued_.begin(1);
  queue(1, {"XDEL", "k", "1-1"});
  queue(1, {"XDEL", "k", "2-1", "3-1"});
  queued_.run(1);
  EXPECT_EQ(named("xdel", "k"), "1-1 2-1 3-1 ");
  EXPECT_TRUE(queued_.named("xdel", "k")->stream);
  EXPECT_EQ(named("xadd", "k"), "-");  // it tells by itself
}

/// One of them may have done nothing, so each event may be of any.
TEST_F(QueuedChangesTest, EachEventTellsOfAll) {
  queued_.begin(1);
  queue(1, {"HSETNX", "k", "a", "1"});
  queue(1, {"HSET", "k", "b", "1", "c", "2"});
  queue(1, {"HDEL", "k", "d"});
  queued_.run(1);
  EXPECT_EQ(named("hset", "k"), "a b c d ");
  EXPECT_EQ(named("hdel", "k"), "a b c d ");
  EXPECT_EQ(named("hset", "k"), "a b c d ");
  EXPECT_EQ(named("hincrby", "k"), "-");
  EXPECT_EQ(named("", "k"), "-");
}

TEST_F(QueuedChangesTest, OfALargeString) {
  queued_.begin(1);
  queue(1, {"SETRANGE", "k", "5", "abc"});
  queue(1, {"SETBIT", "k", "0", "1"});
  queued_.run(1);
  EXPECT_EQ(named("setbit", "k"), "5..8 0..1 ");
}

/// What becomes of a list depends on the order, and some may be refused.
TEST_F(QueuedChangesTest, OfAListWhatIsTheSameEachTime) {
  queued_.begin(1);
  queue(1, {"LTRIM", "k", "1", "-1"});
  queue(1, {"LTRIM", "k", "1", "-1"});
  queue(1, {"LTRIM", "l", "1", "-1"});
  queue(1, {"LTRIM", "l", "2", "-1"});
  queue(1, {"LTRIM", "m", "1", "-1"});
  queue(1, {"LSET", "m", "1", "v"});
  queue(1, {"RPOPLPUSH", "n", "n"});
  queued_.run(1);
  EXPECT_EQ(named("ltrim", "k"), "kept 1");
  EXPECT_EQ(named("ltrim", "k"), "kept 1");
  EXPECT_EQ(named("ltrim", "l"), "-");
  EXPECT_EQ(named("ltrim", "m"), "-");
  EXPECT_EQ(named("lset", "m"), "-");
  EXPECT_EQ(named("lpush", "n"), "-");
}

TEST_F(QueuedChangesTest, WhatHadBegunBeforeIsUnknown) {
  queue(1, {"HSET", "k", "a", "1"});
  EXPECT_FALSE(queued_.has_begun(1));
  queued_.run(1);
  EXPECT_EQ(named("hset", "k"), "-");
}

TEST_F(QueuedChangesTest, WhatWasDiscarded) {
  queued_.begin(1);
  queue(1, {"HSET", "k", "a", "1"});
  queued_.forget(1);
  EXPECT_FALSE(queued_.has_begun(1));
  queued_.run(1);
  EXPECT_EQ(named("hset", "k"), "-");
}

TEST_F(QueuedChangesTest, AnotherBeginning) {
  queued_.begin(1);
  queue(1, {"HSET", "k", "discarded", "1"});
  queued_.begin(1);
  queue(1, {"HSET", "k", "a", "1"});
  queued_.run(1);
  EXPECT_EQ(named("hset", "k"), "a ");
}

TEST_F(QueuedChangesTest, TooMuchIsNotFollowed) {
  queued_.begin(1);
  for (int i = 0; i < 100; i++) {
    queue(1, {"HSET", "k", std::to_string(i), "1"});
    queue(1, {"HSET", "l" + std::to_string(i), "a", "1"});
  }
  queued_.run(1);
  EXPECT_EQ(named("hset", "k"), "-");
  EXPECT_EQ(named("hset", "l7"), "a ");
}

TEST_F(QueuedChangesTest, TooManyAreForgotten) {
  const std::string large(1 << 20, 'x');
  for (QueuedChanges::Client client = 1; client <= 20; client++) {
    queued_.begin(client);
    queue(client, {"HSET", "k", large, "1"});
  }
  EXPECT_FALSE(queued_.has_begun(1));
  EXPECT_TRUE(queued_.has_begun(20));
  queued_.run(20);
  EXPECT_NE(named("hset", "k"), "-");
}

}  // namespace
}  // namespace rdmasync::master

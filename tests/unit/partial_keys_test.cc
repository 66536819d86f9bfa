#include "module/master/partial_keys.h"

#include <gtest/gtest.h>

#include "rdmasync/log_format.h"

namespace rdmasync::master {
namespace {

constexpr std::size_t kLength = 10'000;

NamedChange bytes(std::uint64_t begin, std::uint64_t end) {
  return {.key = "k", .events = {"setrange"}, .ranges = {{begin, end}}};
}

/// "begin-end" of all of one key, in a string of that length now.
std::string drain(PartialKeys& keys, std::uint64_t length = kLength) {
  keys.begin_round();
  std::string out;
  while (const auto changed = keys.next_in_round()) {
    out += std::to_string(changed->key.first) + ":";
    for (const ByteRange& range : changed->ranges(length)) {
      out += " " + std::to_string(range.begin) + "-" + std::to_string(range.end);
    }
    keys.published(*changed, length);
    out += ";";
  }
  return out;
}

class PartialKeysTest : public ::testing::Test {
 protected:
  PartialKeysTest() { keys_.add(0, "k", value_); }

  bool written(std::uint64_t begin, std::uint64_t end, std::uint32_t db = 0) {
    const NamedChange change = bytes(begin, end);
    return keys_.written(db, "k", &change);
  }

  const std::string value_ = std::string(kLength, 'x');
  PartialKeys keys_;
};

TEST_F(PartialKeysTest, BlocksHaveAllThatWasNamed) {
  EXPECT_TRUE(written(0, 1));
  EXPECT_TRUE(written(1023, 1025));
  EXPECT_TRUE(written(9'999, 10'000));
  EXPECT_EQ(keys_.changed_keys(), 1U);
  EXPECT_EQ(keys_.changed_bytes(), 3U * 1024);
  EXPECT_EQ(drain(keys_), "0: 0-2048 9216-10000;");
  EXPECT_EQ(keys_.changed_keys(), 0U);
}

TEST_F(PartialKeysTest, WhatIsAddedToTheEndIsOfIt) {
  const NamedChange append{.key = "k", .events = {"append"}, .ranges = {}};
  EXPECT_TRUE(keys_.written(0, "k", &append));
  EXPECT_EQ(drain(keys_, kLength + 5), "0: 10000-10005;");
  EXPECT_TRUE(keys_.written(0, "k", &append));
  EXPECT_EQ(drain(keys_, kLength + 8), "0: 10005-10008;");
}

TEST_F(PartialKeysTest, TheTimeAloneHasNoBytes) {
  const NamedChange expire{.key = "k", .events = {"expire"}, .ranges = {}};
  EXPECT_TRUE(keys_.written(0, "k", &expire));
  EXPECT_EQ(keys_.changed_keys(), 1U);
  EXPECT_EQ(drain(keys_), "0:;");
}

TEST_F(PartialKeysTest, WhatWasNotNamedMakesItWhole) {
  EXPECT_TRUE(written(0, 1));
  EXPECT_FALSE(keys_.written(0, "k", nullptr));
  EXPECT_FALSE(keys_.any());
  EXPECT_EQ(keys_.changed_keys(), 0U);
  EXPECT_FALSE(written(0, 1));
}

TEST_F(PartialKeysTest, OthersAreNone) {
  EXPECT_FALSE(written(0, 1, 7));
  const NamedChange change = bytes(0, 1);
  EXPECT_FALSE(keys_.written(0, "other", &change));
}

TEST_F(PartialKeysTest, WhatIsWrittenInARoundIsOfTheNext) {
  EXPECT_TRUE(written(0, 1));
  keys_.begin_round();
  const auto first = keys_.next_in_round();
  ASSERT_TRUE(first);
  EXPECT_TRUE(written(5'000, 5'001));
  EXPECT_FALSE(keys_.next_in_round());
  EXPECT_EQ(drain(keys_), "0: 4096-5120;");
}

TEST_F(PartialKeysTest, WhatWasNotPublishedComesAgain) {
  EXPECT_TRUE(written(0, 1));
  keys_.begin_round();
  keys_.put_back(*keys_.next_in_round());
  EXPECT_TRUE(written(2'000, 2'001));
  EXPECT_EQ(drain(keys_), "0: 0-2048;");
}

TEST_F(PartialKeysTest, AgainPublishedItIsClean) {
  EXPECT_TRUE(written(0, 1));
  keys_.add(0, "k", value_);
  EXPECT_EQ(drain(keys_), "");
}

TEST_F(PartialKeysTest, SwapAndFlushFollowTheServer) {
  EXPECT_TRUE(written(0, 1));
  keys_.swap(0, 3);
  EXPECT_FALSE(written(0, 1, 0));
  EXPECT_TRUE(written(3'000, 3'001, 3));
  EXPECT_EQ(drain(keys_), "3: 0-1024 2048-3072;");
  keys_.flush(0);
  EXPECT_TRUE(keys_.any());
  keys_.flush(log_format::kAllDatabases);
  EXPECT_FALSE(keys_.any());
}

}  // namespace
}  // namespace rdmasync::master

#include "module/master/dirty_keys.h"

#include <gtest/gtest.h>

#include <set>

#include "rdmasync/log_format.h"

namespace rdmasync::master {
namespace {

std::set<DirtyKeys::Key> drain(DirtyKeys& keys) {
  std::set<DirtyKeys::Key> all;
  while (const auto key = keys.next_in_round()) {
    all.insert(*key);
  }
  return all;
}

TEST(DirtyKeys, AKeyIsDirtyOnceInEachDatabase) {
  DirtyKeys keys;
  keys.mark(0, "a");
  keys.mark(0, "a");
  keys.mark(1, "a");
  EXPECT_EQ(keys.size(), 2U);
  EXPECT_FALSE(keys.next_in_round());
  keys.begin_round();
  EXPECT_EQ(drain(keys), (std::set<DirtyKeys::Key>{{0, "a"}, {1, "a"}}));
  EXPECT_EQ(keys.size(), 0U);
}

TEST(DirtyKeys, WhatIsWrittenDuringARoundWaitsForTheNext) {
  DirtyKeys keys;
  keys.mark(0, "a");
  keys.mark(0, "b");
  keys.begin_round();
  const auto first = keys.next_in_round();
  keys.mark(first->first, first->second);
  EXPECT_EQ(keys.size(), 2U);
  EXPECT_EQ(drain(keys).count(*first), 0U);
  keys.begin_round();
  EXPECT_EQ(drain(keys), (std::set<DirtyKeys::Key>{*first}));
}

TEST(DirtyKeys, ARoundThatIsNotOverTakesWhatCameSince) {
  DirtyKeys keys;
  keys.mark(0, "a");
  keys.begin_round();
  keys.mark(0, "a");
  keys.mark(0, "b");
  keys.begin_round();
  EXPECT_EQ(keys.size(), 2U);
  EXPECT_EQ(drain(keys), (std::set<DirtyKeys::Key>{{0, "a"}, {0, "b"}}));
}

TEST(DirtyKeys, SwapMovesThemWithTheirDatabases) {
  DirtyKeys keys;
  keys.mark(0, "in-round");
  keys.begin_round();
  keys.mark(1, "later");
  keys.swap(0, 1);
  keys.begin_round();
  EXPECT_EQ(drain(keys), (std::set<DirtyKeys::Key>{{1, "in-round"}, {0, "later"}}));
}

TEST(DirtyKeys, FlushForgetsADatabaseButNoSilentName) {
  DirtyKeys keys;
  keys.mark(0, "a");
  keys.mark(1, "b");
  keys.mark_silent("s", false);
  keys.flush(0);
  EXPECT_EQ(keys.size(), 1U);
  keys.flush(log_format::kAllDatabases);
  EXPECT_EQ(keys.size(), 0U);
  EXPECT_EQ(keys.silent().count("s"), 1U);
}

TEST(DirtyKeys, BinaryNamesAreKeptWhole) {
  DirtyKeys keys;
  const std::string name("a\0b", 3);
  keys.mark(0, name);
  keys.begin_round();
  EXPECT_EQ(keys.next_in_round()->second, name);
}

TEST(DirtyKeys, AHiddenOneIsGoneOnceItIsWritten) {
  DirtyKeys keys;
  keys.hide({0, "written"});
  keys.hide({0, "not"});
  EXPECT_EQ(keys.size(), 0U) << "no round has them";
  keys.mark(0, "written");
  keys.mark(1, "not");
  EXPECT_EQ(keys.next_hidden(), (DirtyKeys::Key{0, "not"}));
  EXPECT_FALSE(keys.any_hidden());
  EXPECT_EQ(keys.next_hidden(), std::nullopt);
}

TEST(DirtyKeys, HiddenOnesAreSwappedAndFlushed) {
  DirtyKeys keys;
  keys.hide({0, "a"});
  keys.hide({1, "b"});
  keys.swap(0, 1);
  keys.flush(0);
  EXPECT_EQ(keys.next_hidden(), (DirtyKeys::Key{1, "a"}));
  EXPECT_FALSE(keys.any_hidden());
  keys.hide({3, "c"});
  keys.flush(log_format::kAllDatabases);
  EXPECT_FALSE(keys.any_hidden());
}

}  // namespace
}  // namespace rdmasync::master

#include "module/master/collections.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace rdmasync::master {
namespace {

constexpr std::int64_t kNow = 1'000;

/// "db:key element..." of all that is to be published again.
std::string drain(Collections& collections, std::size_t most = 100) {
  collections.begin_round();
  std::string out;
  while (auto changed = collections.next_in_round(most)) {
    std::sort(changed->elements.begin(), changed->elements.end());
    out += std::to_string(changed->key.first) + ":" + changed->key.second;
    for (const std::string& element : changed->elements) {
      out += " " + element;
    }
    out += ";";
  }
  return out;
}

class CollectionsTest : public ::testing::Test {
 protected:
  CollectionsTest() { add(0, "k"); }

  bool add(std::uint32_t db, const std::string& key) {
    return collections_.add(db, key, {.part = log_format::Part::kHash, .cursor = nullptr});
  }
  bool written(const std::string& key, std::vector<std::string> elements, std::uint32_t db = 0) {
    const NamedChange change{.key = key, .elements = std::move(elements)};
    return collections_.written(db, key, &change, kNow);
  }
  bool ended(std::int64_t now_ms) {
    const NamedChange change{.ended = true};
    return collections_.written(0, "k", &change, now_ms);
  }
  static std::string names(const std::vector<Collections::Key>& keys) {
    std::string out;
    for (const auto& [db, name] : keys) {
      out += std::to_string(db) + ":" + name + ";";
    }
    return out;
  }

  Collections collections_;
};

TEST_F(CollectionsTest, WhatWasNamedIsPublishedOnce) {
  EXPECT_TRUE(written("k", {"a", "b"}));
  EXPECT_TRUE(written("k", {"b", "c"}));
  EXPECT_EQ(collections_.changed_elements(), 3U);
  EXPECT_EQ(drain(collections_), "0:k a b c;");
  EXPECT_EQ(drain(collections_), "");
  EXPECT_TRUE(written("k", {"a"}));
  EXPECT_EQ(drain(collections_), "0:k a;");
}

TEST_F(CollectionsTest, TheTimeAloneIsAChange) {
  EXPECT_TRUE(written("k", {}));
  EXPECT_EQ(drain(collections_), "0:k;");
}

TEST_F(CollectionsTest, NoMoreAtOnceThanAsked) {
  EXPECT_TRUE(written("k", {"a", "b", "c"}));
  collections_.begin_round();
  EXPECT_EQ(collections_.next_in_round(2)->elements.size(), 2U);
  EXPECT_EQ(collections_.next_in_round(2)->elements.size(), 1U);
  EXPECT_FALSE(collections_.next_in_round(2));
}

TEST_F(CollectionsTest, WhatIsPutBackComesAgain) {
  EXPECT_TRUE(written("k", {"a", "b"}));
  collections_.begin_round();
  auto changed = collections_.next_in_round(1);
  collections_.put_back(std::move(*changed));
  EXPECT_EQ(collections_.changed_elements(), 2U);
  EXPECT_EQ(drain(collections_), "0:k a b;");
}

TEST_F(CollectionsTest, AWriteThatNamesNothingEndsIt) {
  EXPECT_TRUE(written("k", {"a"}));
  EXPECT_FALSE(collections_.written(0, "k", nullptr, kNow));
  EXPECT_FALSE(written("k", {"b"}));
  EXPECT_FALSE(collections_.any());
  EXPECT_FALSE(collections_.any_unread());
  EXPECT_EQ(drain(collections_), "");
}

TEST_F(CollectionsTest, ANextLifeHasNothingOfTheFormer) {
  EXPECT_TRUE(written("k", {"a"}));
  EXPECT_TRUE(add(0, "k"));
  EXPECT_EQ(drain(collections_), "");
}

TEST_F(CollectionsTest, FieldsWhoseTimeHasCome) {
  const Collections::Key key{0, "k"};
  EXPECT_TRUE(collections_.ends(key, "a", 1'000));
  EXPECT_TRUE(collections_.ends(key, "b", 1'001));
  EXPECT_TRUE(ended(1'000));
  EXPECT_EQ(drain(collections_), "0:k a;");
  EXPECT_TRUE(ended(2'000));
  EXPECT_EQ(drain(collections_), "0:k b;");
}

TEST_F(CollectionsTest, DatabasesChangePlaces) {
  EXPECT_TRUE(add(1, "l"));
  EXPECT_TRUE(written("k", {"a"}));
  EXPECT_TRUE(collections_.ends({0, "k"}, "b", 5));
  collections_.swap(0, 1);
  EXPECT_TRUE(collections_.any_named("k"));
  EXPECT_FALSE(collections_.any_named("m"));
  EXPECT_FALSE(written("k", {"c"}, 0));
  EXPECT_TRUE(written("k", {"c"}, 1));
  EXPECT_EQ(collections_.next_unread(), (Collections::Key{0, "l"}));
  EXPECT_EQ(drain(collections_), "1:k a c;");
}

TEST_F(CollectionsTest, AFlushEndsThoseOfItsDatabase) {
  EXPECT_TRUE(add(1, "l"));
  EXPECT_TRUE(written("k", {"a"}));
  EXPECT_TRUE(written("l", {"b"}, 1));
  collections_.flush(0);
  EXPECT_EQ(drain(collections_), "1:l b;");
  collections_.flush(log_format::kAllDatabases);
  EXPECT_FALSE(collections_.any());
}

TEST_F(CollectionsTest, StoppingTellsWhatIsNotWhole) {
  EXPECT_TRUE(add(0, "read"));
  EXPECT_TRUE(add(0, "changed"));
  EXPECT_TRUE(add(0, "in round"));
  for (const char* key : {"read", "changed", "in round"}) {
    collections_.all_read({0, key});
  }
  EXPECT_TRUE(written("in round", {"a"}));
  collections_.begin_round();
  EXPECT_TRUE(written("changed", {"a"}));
  EXPECT_EQ(names(collections_.stop()), "0:changed;0:in round;0:k;");
  EXPECT_FALSE(add(0, "another"));
  EXPECT_FALSE(written("read", {"a"}));
}

/// And then as a whole, also the next time.
TEST_F(CollectionsTest, WhatChangesTooMuchIsNoneOfThem) {
  const std::string half(16 << 20, 'x');
  EXPECT_TRUE(written("k", {half}));
  EXPECT_FALSE(written("k", {half + "y"}));
  EXPECT_FALSE(collections_.any());
  EXPECT_FALSE(add(0, "k"));
  EXPECT_TRUE(add(0, "l"));
}

}  // namespace
}  // namespace rdmasync::master

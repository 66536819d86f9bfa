#include "module/master/lists.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>

namespace rdmasync::master {
namespace {

using Place = log::ListElement::Place;
using List = std::deque<int>;

constexpr std::size_t kMost = 4;

/// A list on a master, what a replica has of it, and what follows it.
class ListsTest : public ::testing::Test {
 protected:
  ListsTest() { begin(10); }

  void begin(int length) {
    here_.clear();
    for (int i = 0; i < length; i++) {
      here_.push_back(++last_);
    }
    EXPECT_TRUE(lists_.add(0, "k", here_.size()));
  }

  bool written(const ListChange& change) {
    const NamedChange named{.list = change};
    return lists_.written(kKey, named, here_.size());
  }

  bool push(End end, int count) {
    for (int i = 0; i < count; i++) {
      if (end == End::kLeft) {
        here_.push_front(++last_);
      } else {
        here_.push_back(++last_);
      }
    }
    return written({.pushed = end});
  }
  bool pop(End end, int count) {
    for (int i = 0; i < count; i++) {
      take(end);
    }
    return written({.popped = end});
  }
  bool move(End from, End to) {
    const int value = take(from);
    if (to == End::kLeft) {
      here_.push_front(value);
    } else {
      here_.push_back(value);
    }
    return written({.pushed = to, .popped = from});
  }
  bool replace(int index) {
    here_.at(static_cast<std::size_t>(index < 0 ? std::ssize(here_) + index : index)) = ++last_;
    return written({.replaced = index});
  }
  /// As LTRIM does; some of it must remain.
  bool trim(int first, int last) {
    const int size = static_cast<int>(here_.size());
    const int from = std::max(first < 0 ? first + size : first, 0);
    const int to = std::min(last < 0 ? last + size : last, size - 1);
    here_ = List(here_.begin() + from, here_.begin() + to + 1);
    return written({.kept = ListChange::Range{first, last}});
  }

  /// One part, of no more than so many elements.
  void publish(const Lists::Key& key, std::size_t most = kMost) {
    const auto piece = lists_.next_piece(key, here_.size(), kMost);
    ASSERT_TRUE(piece.has_value());
    EXPECT_LE(piece->elements.size(), kMost);
    if (piece->head.begins) {
      there_.clear();
    }
    ASSERT_LE(piece->head.from_left + piece->head.from_right, there_.size());
    there_.erase(there_.begin(), there_.begin() + static_cast<long>(piece->head.from_left));
    there_.erase(there_.end() - static_cast<long>(piece->head.from_right), there_.end());
    std::size_t count = 0;
    for (const auto& [here, there] : piece->elements) {
      if (count == most) {
        break;
      }
      ++count;
      const int value = here_.at(here);
      switch (piece->place) {
        case Place::kLeftEnd:
          there_.push_front(value);
          break;
        case Place::kRightEnd:
          there_.push_back(value);
          break;
        case Place::kInPlace:
          there_.at(there) = value;
      }
    }
    lists_.published(key, *piece, count);
    ++parts_;
  }
  bool read_on() {
    if (!lists_.any_unread()) {
      return false;
    }
    publish(lists_.next_unread());
    return true;
  }
  bool round_on() {
    const auto key = lists_.next_in_round();
    if (!key) {
      return false;
    }
    publish(*key);
    return true;
  }
  void publish_all() {
    while (read_on()) {
    }
    lists_.begin_round();
    while (round_on()) {
    }
  }

  int take(End end) {
    const int value = end == End::kLeft ? here_.front() : here_.back();
    if (end == End::kLeft) {
      here_.pop_front();
    } else {
      here_.pop_back();
    }
    return value;
  }

  static constexpr KeyNameView kKey{0, "k"};
  Lists lists_;
  List here_;
  List there_;
  int last_ = 0;
  int parts_ = 0;
};

TEST_F(ListsTest, IsReadInSlices) {
  publish_all();
  EXPECT_EQ(there_, here_);
  EXPECT_EQ(parts_, 3);
  EXPECT_EQ(lists_.changes(), 0U);
}

TEST_F(ListsTest, OnlyTheEndsGoAgain) {
  publish_all();
  parts_ = 0;
  EXPECT_TRUE(push(End::kLeft, 2));
  EXPECT_TRUE(push(End::kRight, 1));
  EXPECT_EQ(lists_.changes(), 3U);
  publish_all();
  EXPECT_EQ(there_, here_);
  EXPECT_EQ(parts_, 2);
}

TEST_F(ListsTest, WhatWasPoppedAndPushedIsAnother) {
  publish_all();
  EXPECT_TRUE(pop(End::kRight, 3));
  EXPECT_TRUE(push(End::kRight, 3));
  EXPECT_TRUE(pop(End::kLeft, 2));
  EXPECT_TRUE(push(End::kLeft, 2));
  publish_all();
  EXPECT_EQ(there_, here_);
}

TEST_F(ListsTest, OneThatMovesFromEndToEnd) {
  publish_all();
  parts_ = 0;
  for (int i = 0; i < 3; i++) {
    EXPECT_TRUE(move(End::kRight, End::kLeft));
    EXPECT_TRUE(move(End::kLeft, End::kLeft));
  }
  publish_all();
  EXPECT_EQ(there_, here_);
  EXPECT_EQ(parts_, 1);
}

TEST_F(ListsTest, NothingIsLeftOfWhatWasPublished) {
  read_on();
  EXPECT_TRUE(pop(End::kLeft, 5));
  publish_all();
  EXPECT_EQ(there_, here_);
  EXPECT_TRUE(push(End::kLeft, 7));
  EXPECT_TRUE(pop(End::kRight, 5));
  publish_all();
  EXPECT_EQ(there_, here_);
}

TEST_F(ListsTest, ReplacedElements) {
  publish_all();
  parts_ = 0;
  EXPECT_TRUE(replace(0));
  EXPECT_TRUE(replace(-1));
  EXPECT_TRUE(push(End::kLeft, 1));
  EXPECT_TRUE(replace(5));
  EXPECT_EQ(lists_.changes(), 4U);
  publish_all();
  EXPECT_EQ(there_, here_);
  EXPECT_EQ(parts_, 2);
}

TEST_F(ListsTest, WhatDoesNotFitItsLengthIsNotBelieved) {
  publish_all();
  here_.pop_back();
  EXPECT_FALSE(push(End::kRight, 1));  // of the same length as before
  EXPECT_FALSE(lists_.any());
  begin(10);
  publish_all();
  here_.push_back(0);
  EXPECT_FALSE(pop(End::kLeft, 1));
  begin(10);
  here_.pop_back();
  EXPECT_FALSE(trim(1, -1));
  begin(10);
  EXPECT_FALSE(written({.kept = ListChange::Range{5, 4}}));
}

TEST_F(ListsTest, WhatNamesElementsIsNoWriteOfAList) {
  const NamedChange named{.elements = {"member"}};
  EXPECT_FALSE(lists_.written(kKey, named, here_.size()));
  EXPECT_FALSE(lists_.any());
}

TEST_F(ListsTest, ItsTimeAlone) {
  publish_all();
  parts_ = 0;
  EXPECT_TRUE(lists_.written(kKey, {}, here_.size()));
  publish_all();
  EXPECT_EQ(parts_, 1);
  EXPECT_EQ(there_, here_);
}

/// However fast it is written, others have their turn.
TEST_F(ListsTest, ARoundEnds) {
  publish_all();
  EXPECT_TRUE(push(End::kRight, 20));
  lists_.begin_round();
  for (int i = 0; i < 5; i++) {
    EXPECT_TRUE(round_on());
    EXPECT_TRUE(push(End::kRight, 100));
  }
  EXPECT_FALSE(round_on());
  EXPECT_GT(lists_.changes(), 400U);
  publish_all();
  EXPECT_EQ(there_, here_);
}

TEST_F(ListsTest, TooManyReplacedMakeItWhole) {
  begin(100'000);
  publish_all();
  bool followed = true;
  int count = 0;
  while (followed) {
    followed = replace(count++);
  }
  EXPECT_GT(count, 50'000);
  EXPECT_FALSE(lists_.any());
}

TEST_F(ListsTest, OfTwoDatabases) {
  lists_.swap(0, 3);
  EXPECT_TRUE(lists_.any_named("k"));
  EXPECT_FALSE(lists_.knows(kKey));
  EXPECT_TRUE(lists_.knows({3, "k"}));
  EXPECT_EQ(lists_.next_unread(), Lists::Key(3, "k"));
  lists_.flush(0);
  EXPECT_TRUE(lists_.any());
  lists_.flush(3);
  EXPECT_FALSE(lists_.any());
  EXPECT_FALSE(lists_.any_unread());
}

TEST_F(ListsTest, StopReturnsWhatIsNotPublished) {
  EXPECT_EQ(lists_.stop().size(), 1U);
  EXPECT_FALSE(lists_.any());
  EXPECT_FALSE(lists_.add(0, "k", 100));
}

/// Whatever is done, between any two parts.
TEST_F(ListsTest, AnyWritesAtAnyTime) {
  for (unsigned seed = 1; seed <= 2000; seed++) {
    std::mt19937 dice(seed);
    const auto roll = [&](int sides) { return static_cast<int>(dice() % unsigned(sides)); };
    const auto end = [&] { return roll(2) == 0 ? End::kLeft : End::kRight; };
    begin(1 + roll(30));
    for (int i = 0; i < 60; i++) {
      const int size = static_cast<int>(here_.size());
      bool followed = true;
      switch (roll(9)) {
        case 0:
          followed = push(end(), 1 + roll(6));
          break;
        case 1:
          followed = size == 1 || pop(end(), 1 + roll(size - 1));
          break;
        case 2:
          followed = move(end(), end());
          break;
        case 3:
          followed = replace(roll(2 * size) - size);
          break;
        case 4: {
          const int first = roll(size);
          const int last = first + roll(size - first);
          followed = trim(roll(2) == 0 ? first : first - size, roll(2) == 0 ? last : last - size);
          break;
        }
        case 5:
          lists_.begin_round();
          break;
        case 6:
          read_on();
          break;
        default:
          round_on();
      }
      ASSERT_TRUE(followed) << "seed " << seed;
    }
    publish_all();
    publish_all();
    ASSERT_EQ(there_, here_) << "seed " << seed;
    ASSERT_EQ(lists_.changes(), 0U);
  }
}

}  // namespace
}  // namespace rdmasync::master

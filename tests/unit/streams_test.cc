#include "module/master/streams.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "module/replica/unfinished_streams.h"

namespace rdmasync::master {
namespace {

using redis::StreamId;
using Entries = std::map<StreamId, std::string>;

constexpr std::size_t kMost = 4;

/// A stream on a master, what a replica puts together of it, and what follows it.
class StreamsTest : public ::testing::Test {
 protected:
  StreamsTest() {
    for (int i = 0; i < 10; i++) {
      put();
    }
    EXPECT_TRUE(streams_.add(0, "k"));
  }

  void put() { here_[{++last_, 0}] = "value " + std::to_string(last_); }
  bool add() {
    put();
    return written({.stream = true});
  }
  bool trim(std::size_t left) {
    while (here_.size() > left) {
      here_.erase(here_.begin());
    }
    return written({.stream = true});
  }
  bool remove(const std::vector<StreamId>& ids) {
    NamedChange change{.stream = true};
    for (const StreamId& id : ids) {
      here_.erase(id);
      change.elements.push_back(redis::to_text(id));
    }
    return written(change);
  }
  bool written(const NamedChange& change) { return streams_.written({0, "k"}, &change); }

  /// One part.
  void publish(const Streams::Key& key) {
    const StreamId beyond{UINT64_MAX, UINT64_MAX};
    const auto piece =
        streams_.next_piece(key, {.first = here_.empty() ? beyond : here_.begin()->first,
                                  .last = here_.empty() ? StreamId{} : here_.rbegin()->first});
    ++parts_;
    if (piece.groups) {
      there_.add_end(key, {}, {.last = {last_, 0}});
      return streams_.published(key, piece, {});
    }
    std::string bytes;
    StreamId to = piece.until;
    std::size_t count = 0;
    const auto from = piece.after ? here_.upper_bound(*piece.after) : here_.begin();
    for (auto at = from; at != here_.end() && at->first <= piece.until; ++at) {
      log::append_stream_entry(bytes, {.id = at->first, .fields = {"f", at->second}});
      if (++count == kMost) {
        to = at->first;
        break;
      }
    }
    there_.add_entries(key, piece.head, bytes);
    streams_.published(key, piece, to);
  }
  bool read_on() {
    if (streams_.any_unread()) {
      publish(streams_.next_unread());
      return true;
    }
    return false;
  }
  bool round_on() {
    const auto key = streams_.next_in_round();
    if (key) {
      publish(*key);
    }
    return key.has_value();
  }
  void publish_all() {
    while (read_on()) {
    }
    streams_.begin_round();
    while (round_on()) {
    }
  }

  /// What the replica has in the end.
  Entries finished() {
    Entries all;
    const auto [key, stream] = there_.take();
    EXPECT_EQ(stream.end.last, (StreamId{last_, 0}));
    for (const auto& part : stream.parts) {
      redis::rdb::Reader entries(part.entries);
      while (const auto entry = log::take_stream_entry(entries)) {
        if (entry->id >= stream.first && !stream.gone.contains(entry->id)) {
          EXPECT_TRUE(all.empty() || all.rbegin()->first < entry->id);
          all[entry->id] = entry->fields.at(1);
        }
      }
    }
    return all;
  }

  Streams streams_;
  replica::UnfinishedStreams there_;
  Entries here_;
  std::uint64_t last_ = 0;
  int parts_ = 0;
};

TEST_F(StreamsTest, IsReadInSlices) {
  publish_all();
  EXPECT_EQ(parts_, 4);  // the last with its groups
  EXPECT_EQ(streams_.changes(), 0U);
  EXPECT_EQ(finished(), here_);
}

TEST_F(StreamsTest, OnlyWhatIsNewGoesAgain) {
  publish_all();
  parts_ = 0;
  EXPECT_TRUE(add());
  EXPECT_TRUE(trim(5));
  publish_all();
  EXPECT_EQ(parts_, 2);
  EXPECT_EQ(finished(), here_);
}

TEST_F(StreamsTest, WhatIsDeletedGoes) {
  read_on();
  EXPECT_TRUE(remove({{2, 0}, {9, 0}}));
  publish_all();
  EXPECT_TRUE(remove({{5, 0}}));
  publish_all();
  EXPECT_EQ(finished(), here_);
}

TEST_F(StreamsTest, TheGroupsGoAgain) {
  publish_all();
  parts_ = 0;
  streams_.groups_written({0, "k"});
  publish_all();
  EXPECT_EQ(parts_, 2);
  EXPECT_EQ(finished(), here_);
}

TEST_F(StreamsTest, NothingIsLeftOfIt) {
  read_on();
  EXPECT_TRUE(trim(0));
  publish_all();
  EXPECT_TRUE(add());
  publish_all();
  EXPECT_TRUE(trim(0));
  publish_all();
  EXPECT_EQ(finished(), here_);
}

TEST_F(StreamsTest, WhatNamesNothingMakesItDirtyAsAWhole) {
  EXPECT_FALSE(streams_.written({0, "k"}, nullptr));
  EXPECT_FALSE(streams_.any());
}

TEST_F(StreamsTest, WhatIsNoIdMakesItDirtyAsAWhole) {
  EXPECT_FALSE(written({.elements = {"*"}, .stream = true}));
  EXPECT_FALSE(streams_.any());
}

TEST_F(StreamsTest, AnyWritesAtAnyTime) {
  std::mt19937 random(1);
  const auto below = [&](std::size_t n) { return random() % n; };
  for (int history = 0; history < 2000; history++) {
    streams_.forget(0, "k");
    there_.forget(0, "k");
    here_.clear();
    for (std::size_t i = below(20); i > 0; i--) {
      put();
    }
    streams_.add(0, "k");
    for (int step = 0; step < 40; step++) {
      switch (below(6)) {
        case 0:
          EXPECT_TRUE(trim(below(here_.size() + 1)));
          break;
        case 1:
          if (!here_.empty()) {
            const auto at = std::next(here_.begin(), static_cast<long>(below(here_.size())));
            EXPECT_TRUE(remove({at->first}));
          }
          break;
        case 2:
          streams_.begin_round();
          break;
        case 3:
          if (!read_on()) {
            round_on();
          }
          break;
        default:
          EXPECT_TRUE(add());
      }
    }
    publish_all();
    ASSERT_EQ(finished(), here_) << history;
  }
}

}  // namespace
}  // namespace rdmasync::master

#include "module/log/ring.h"

#include <gtest/gtest.h>

#include <cstring>
#include <deque>
#include <random>
#include <string>

namespace rdmasync::log {
namespace {

using log_format::Kind;

RecordInfo entry(std::uint32_t db, std::size_t key_length) {
  RecordInfo info;
  info.kind = Kind::kPacked;
  info.db = db;
  info.key_length = static_cast<std::uint32_t>(key_length);
  return info;
}

class RingTest : public ::testing::Test {
 protected:
  /// The page before the ring, as a replica would read it.
  const log_format::LogHeader& header() const {
    const auto* ring = ring_.bytes_from(0).data();
    return *reinterpret_cast<const log_format::LogHeader*>(ring - log_format::kHeaderSize);
  }

  std::unique_ptr<rdma::Fabric> fabric_ = rdma::make_fabric("tcp");
  Ring ring_{*fabric_, 64 << 10};
};

TEST_F(RingTest, NothingIsSeenBeforeItIsPublished) {
  ASSERT_TRUE(ring_.append(entry(0, 1), "k", "value"));
  EXPECT_EQ(header().head, 0U);
  ring_.show_head();
  EXPECT_EQ(header().head, ring_.head());
  EXPECT_EQ(header().capacity, ring_.capacity());
}

TEST_F(RingTest, AFullRingRefusesUntilItIsReleased) {
  const std::string body(1000, 'x');
  std::uint64_t first_end = 0;
  while (ring_.append(entry(0, 0), body)) {
    if (first_end == 0) {
      first_end = ring_.head();
    }
  }
  EXPECT_LE(ring_.used(), ring_.capacity());
  const std::uint64_t head = ring_.head();
  EXPECT_FALSE(ring_.append(entry(0, 0), body));
  EXPECT_EQ(ring_.head(), head);
  ring_.release(first_end);
  EXPECT_EQ(ring_.tail(), first_end);
}

TEST_F(RingTest, ReleaseNeverGoesBackOrBeyondTheHead) {
  ASSERT_TRUE(ring_.append(entry(0, 0), "abc"));
  ring_.release(ring_.head() + 1);
  EXPECT_EQ(ring_.tail(), 0U);
  ring_.release(ring_.head());
  ring_.release(0);
  EXPECT_EQ(ring_.tail(), ring_.head());
}

/// Every record comes out as it went in, however the ring wraps.
TEST_F(RingTest, RecordsSurviveManyTurnsOfTheRing) {
  std::mt19937 random(7);
  std::deque<std::pair<std::uint64_t, std::string>> live;
  std::uint64_t position = 0;
  const auto consume = [&] {
    auto record = read_record(ring_.bytes_from(position), 1);
    if (record->kind == Kind::kPad) {
      position += record->size;
      record = read_record(ring_.bytes_from(position), 1);
    }
    ASSERT_EQ(record->entry, live.front().second);
    ASSERT_EQ(record->db, live.front().first);
    ASSERT_EQ(record->size % log_format::kRecordAlign, 0U);
    // No record crosses the end of the ring.
    ASSERT_LE(position % ring_.capacity() + record->size, ring_.capacity());
    position += record->size;
    live.pop_front();
    ring_.release(position);
  };
  for (int i = 0; i < 20000; ++i) {
    const std::string first(random() % 50, static_cast<char>('a' + i % 26));
    const std::string second(random() % ring_.max_body() / 2, static_cast<char>('A' + i % 26));
    const auto db = static_cast<std::uint32_t>(random() % 16);
    while (!ring_.append(entry(db, 0), first, second)) {
      ASSERT_FALSE(live.empty());
      consume();
    }
    live.emplace_back(db, first + second);
  }
  while (!live.empty()) {
    consume();
  }
  EXPECT_GT(position, 100 * ring_.capacity());
}

}  // namespace
}  // namespace rdmasync::log

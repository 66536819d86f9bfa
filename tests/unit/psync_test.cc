#include "module/protocol/psync.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "rdmasync/error.h"

namespace rdmasync::protocol {
namespace {

using namespace std::string_literals;

const std::string own_id(40, 'a');
const std::string former_id(40, 'b');

History history() {
  return {.id = own_id,
          .second_id = former_id,
          .second_offset = 150,
          .backlog_first = 100,
          .backlog_length = 100,
          .backlog = true};
}

TEST(History, ContinuesWhatTheBacklogHas) {
  EXPECT_TRUE(history().continues(own_id, 100));
  EXPECT_TRUE(history().continues(own_id, 200)) << "nothing was written since";
  EXPECT_FALSE(history().continues(own_id, 99));
  EXPECT_FALSE(history().continues(own_id, 201));
  EXPECT_FALSE(history().continues("?", -1));
  EXPECT_FALSE(history().continues("", 150));
  EXPECT_FALSE(history().continues(std::string(40, 'c'), 150));
}

TEST(History, ContinuesAFormerMastersStreamAsFarAsItWent) {
  EXPECT_TRUE(history().continues(former_id, 150));
  EXPECT_FALSE(history().continues(former_id, 151));
  EXPECT_FALSE(history().continues(former_id, 99));
}

TEST(History, ComparesIdsWithoutRegardToCase) {
  EXPECT_TRUE(history().continues(std::string(40, 'A'), 150));
}

TEST(History, ContinuesNothingWithoutABacklog) {
  History none = history();
  none.backlog = false;
  EXPECT_FALSE(none.continues(own_id, 150));
}

TEST(Psync, EverySessionHasAnIdOfItsOwn) {
  std::set<std::string> ids;
  constexpr int kMany = 100;
  for (int i = 0; i < kMany; i++) {
    const std::string id = random_id();
    EXPECT_EQ(id.size(), kIdLength);
    EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos) << id;
    ids.insert(id);
  }
  EXPECT_EQ(ids.size(), kMany);
}

TEST(Psync, TheAnswerIsAMastersLine) {
  EXPECT_EQ(full_resync_line(own_id, 12345), "FULLRESYNC " + own_id + " 12345");
}

std::int64_t size_in_stream(std::int64_t payload) {
  return payload < 0
             ? std::ssize("*1\r\n$4\r\nPING\r\n"s)
             : std::ssize("*2\r\n$4\r\nPING\r\n$" + std::to_string(payload) + "\r\n\r\n") + payload;
}

/// The sum of the no-ops' sizes; they must be such as every server takes.
std::int64_t size_in_stream(const std::vector<std::int64_t>& payloads) {
  std::int64_t sum = 0;
  for (const std::int64_t payload : payloads) {
    EXPECT_GE(payload, -1);
    EXPECT_LE(payload, kLargestNoop);
    sum += size_in_stream(payload);
  }
  return sum;
}

TEST(Filler, HasAnySizeFromTheLeastOn) {
  for (std::int64_t bytes = kLeastFiller; bytes < 70'000; bytes++) {
    ASSERT_EQ(size_in_stream(filler(bytes)), bytes);
  }
  for (std::int64_t bytes = kLargestNoop - 200; bytes < kLargestNoop + 200; bytes++) {
    ASSERT_EQ(size_in_stream(filler(bytes)), bytes);
  }
  EXPECT_EQ(size_in_stream(filler(123'456'789)), 123'456'789);
  EXPECT_TRUE(filler(0).empty());
}

/// A link may break after each of its no-ops: then what is left must be filler, too.
TEST(Filler, CanBeBrokenOffAnywhere) {
  constexpr std::int64_t kBytes = 2'222'222;
  std::int64_t left = kBytes;
  for (const std::int64_t payload : filler(kBytes)) {
    left -= size_in_stream(payload);
    ASSERT_EQ(size_in_stream(filler(left)), left);
  }
}

TEST(Filler, OfTooFewBytesIsRefused) {
  EXPECT_THROW(filler(13), Error);
  EXPECT_THROW(filler(30), Error);
}

TEST(Filler, ComesInPieces) {
  constexpr std::int64_t kBegin = 1000;
  constexpr std::int64_t kCut = 50'000'000;
  std::int64_t at = kBegin;
  int pieces = 0;
  for (; at < kCut; pieces++) {
    const std::int64_t end = end_of_piece(kBegin, at, kCut);
    ASSERT_GE(end - at, kLeastFiller);
    EXPECT_EQ(end_of_piece(kBegin, at + kLeastFiller, kCut), end) << "wherever the link broke";
    at = end;
  }
  EXPECT_EQ(at, kCut);
  EXPECT_GT(pieces, 5);
}

TEST(Filler, LeavesNoPieceThatIsTooSmall) {
  const std::int64_t piece = end_of_piece(0, 0, INT64_MAX);
  EXPECT_EQ(end_of_piece(0, 0, piece + kLeastFiller - 1), piece + kLeastFiller - 1);
  EXPECT_EQ(end_of_piece(0, 0, piece + kLeastFiller), piece);
}

TEST(Psync, TheStubHasTheSizesAndTheSession) {
  const std::string stub = stub_rdb({{0, 3}, {7, 20000}}, own_id, 5);
  EXPECT_EQ(stub.substr(0, 9), "REDIS0009");
  EXPECT_NE(stub.find("repl-stream-db\x01\x35"s), std::string::npos) << "a string of one byte";
  EXPECT_NE(stub.find("\xFE\x00\xFB\x03\x00"s), std::string::npos);
  EXPECT_NE(stub.find("\xFE\x07\xFB\x80\x00\x00\x4E\x20\x00"s), std::string::npos);
  EXPECT_EQ(stub.substr(stub.size() - 51), "\x28"s + own_id + "\x00\xFF"s + std::string(8, '\0'))
      << "the session last, then the end without a checksum";
}

}  // namespace
}  // namespace rdmasync::protocol

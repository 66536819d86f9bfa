#include "module/protocol/psync.h"

#include <gtest/gtest.h>

#include <set>

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

TEST(Psync, TheStubHasTheSizesAndTheSession) {
  const std::string stub = stub_rdb({{0, 3}, {7, 20000}}, own_id);
  EXPECT_EQ(stub.substr(0, 9), "REDIS0009");
  EXPECT_NE(stub.find("\xFE\x00\xFB\x03\x00"s), std::string::npos);
  EXPECT_NE(stub.find("\xFE\x07\xFB\x80\x00\x00\x4E\x20\x00"s), std::string::npos);
  EXPECT_EQ(stub.substr(stub.size() - 51), "\x28"s + own_id + "\x00\xFF"s + std::string(8, '\0'))
      << "the session last, then the end without a checksum";
}

}  // namespace
}  // namespace rdmasync::protocol

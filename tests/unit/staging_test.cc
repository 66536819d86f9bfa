#include "module/replica/staging.h"

#include <gtest/gtest.h>

#include "rdmasync/error.h"

namespace rdmasync::replica {
namespace {

Incoming packed(std::string_view entry) {
  Incoming incoming;
  incoming.entry = entry;
  return incoming;
}

std::string_view entry_of(const Staging& staging, std::uint32_t db, std::string_view key) {
  return staging.databases().at(db).find(key)->entry;
}

TEST(Staging, TheLastRecordOfAKeyWins) {
  Staging staging;
  staging.put(0, "k", packed("old"));
  staging.put(0, "k", packed("new"));
  staging.put(1, "k", packed("other"));
  EXPECT_EQ(staging.keys(), 2U);
  EXPECT_EQ(entry_of(staging, 0, "k"), "new");
  staging.erase(0, "k");
  staging.erase(7, "k");
  EXPECT_EQ(staging.keys(), 1U);
}

TEST(Staging, ATornValueMustHaveComeAgain) {
  Staging staging;
  const auto put_torn = [&] {
    Incoming incoming;
    incoming.landing = std::make_shared<Landing>();
    const auto landing = incoming.landing;
    staging.put(0, "k", std::move(incoming));
    landing->state = Landing::State::kTorn;
    staging.landed(landing);
  };
  put_torn();
  EXPECT_THROW(staging.seal(), Error);
  staging.put(0, "k", packed("again"));
  staging.seal();
}

/// An entry that is a part of a collection.
std::string part(bool begins) {
  std::string entry;
  log::append_entry_head(entry, {}, static_cast<char>(log_format::Part::kSet), "k");
  entry.push_back(begins ? log_format::kBegins : 0);
  return entry;
}

std::size_t parts_of_k(const Staging& staging) {
  std::size_t count = 0;
  staging.databases().at(0).for_each(
      [&](std::string_view, const Incoming&, const auto& parts) { count = parts.size(); });
  return count;
}

TEST(Staging, PartsMakeACollection) {
  Staging staging;
  const std::string first = part(true);
  const std::string next = part(false);
  EXPECT_THROW(staging.add_part(0, "k", packed(next)), Error);
  staging.put(0, "k", packed("before"));
  staging.add_part(0, "k", packed(first));
  staging.add_part(0, "k", packed(next));
  EXPECT_TRUE(staging.databases().at(0).find("k")->in_parts);
  EXPECT_EQ(parts_of_k(staging), 2U);
  EXPECT_EQ(staging.keys(), 1U);
  staging.add_part(0, "k", packed(first));
  EXPECT_EQ(parts_of_k(staging), 1U);
  staging.put(0, "k", packed("after"));
  EXPECT_EQ(parts_of_k(staging), 0U);
  staging.erase(0, "k");
  EXPECT_THROW(staging.add_part(0, "k", packed(next)), Error);
}

TEST(Staging, FlushAndSwapFollowTheMaster) {
  Staging staging;
  staging.put(0, "a", packed("a"));
  staging.put(1, "b", packed("b"));
  staging.swap(0, 1);
  EXPECT_EQ(entry_of(staging, 1, "a"), "a");
  EXPECT_EQ(entry_of(staging, 0, "b"), "b");
  staging.swap(1, 9);
  EXPECT_EQ(entry_of(staging, 9, "a"), "a");
  staging.flush(0);
  EXPECT_EQ(staging.keys(), 1U);
  staging.flush(log_format::kAllDatabases);
  EXPECT_EQ(staging.keys(), 0U);
}

}  // namespace
}  // namespace rdmasync::replica

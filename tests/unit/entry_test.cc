#include "module/log/entry.h"

#include <gtest/gtest.h>

#include "module/redis/rdb.h"
#include "rdmasync/error.h"

namespace rdmasync::log {
namespace {

using redis::rdb::kTypeModule;
using redis::rdb::kTypeString;
using namespace std::string_literals;

TEST(Entry, HasExpiryThenRecencyThenTypeThenKey) {
  std::string plain;
  append_entry_head(plain, {}, kTypeString, "k");
  EXPECT_EQ(plain, "\x00\x01k"s);

  std::string full;
  append_entry_head(full, {0x0102030405060708, log_format::Recency::kFrequency, 7}, '\x0E', "key");
  EXPECT_EQ(full, "\xFC\x08\x07\x06\x05\x04\x03\x02\x01\xF9\x07\x0E\x03key"s);

  std::string idle;
  append_entry_head(idle, {log_format::kNoExpiry, log_format::Recency::kIdle, 100}, kTypeString,
                    "");
  EXPECT_EQ(idle, "\xF8\x40\x64\x00\x00"s);
}

TEST(Entry, TheHeadComesBack) {
  using log_format::kNoExpiry;
  using log_format::Recency;
  const std::string long_key(70'000, 'k');
  for (const KeyMeta& meta :
       {KeyMeta{}, KeyMeta{1, Recency::kNone, 0}, KeyMeta{kNoExpiry, Recency::kFrequency, 255},
        KeyMeta{1, Recency::kIdle, 63}, KeyMeta{1, Recency::kIdle, 64},
        KeyMeta{1, Recency::kIdle, 1 << 14}, KeyMeta{1, Recency::kIdle, 1ULL << 32}}) {
    for (const std::string& key : {std::string(), std::string("key"), long_key}) {
      std::string entry;
      append_entry_head(entry, meta, kTypeModule, key);
      const std::size_t size = entry.size();
      entry += "value";
      const EntryHead head = entry_head(entry);
      EXPECT_EQ(head.type, kTypeModule);
      EXPECT_EQ(head.key, key);
      EXPECT_EQ(head.size, size);
      EXPECT_EQ(head.meta.expire_at_ms, meta.expire_at_ms);
      EXPECT_EQ(head.meta.recency_kind, meta.recency_kind);
      EXPECT_EQ(head.meta.recency, meta.recency);
    }
  }
}

TEST(Entry, CutInItsHeadIsRefused) {
  std::string entry;
  append_entry_head(entry, {1, log_format::Recency::kIdle, 1 << 14}, kTypeModule, "key");
  for (std::size_t size = 0; size < entry.size(); ++size) {
    EXPECT_THROW(entry_head(std::string_view(entry).substr(0, size)), Error) << size;
  }
}

}  // namespace
}  // namespace rdmasync::log

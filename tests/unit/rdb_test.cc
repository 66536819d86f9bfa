#include "module/redis/rdb.h"

#include <gtest/gtest.h>

#include "rdmasync/error.h"

namespace rdmasync::redis::rdb {
namespace {

using namespace std::string_literals;

std::string length(std::uint64_t value) {
  std::string out;
  append_length(out, value);
  return out;
}

TEST(Rdb, LengthsTakeTheShortestForm) {
  EXPECT_EQ(length(0), "\x00"s);
  EXPECT_EQ(length(63), "\x3F"s);
  EXPECT_EQ(length(64), "\x40\x40"s);
  EXPECT_EQ(length(16383), "\x7F\xFF"s);
  EXPECT_EQ(length(16384), "\x80\x00\x00\x40\x00"s);
  EXPECT_EQ(length(0xFFFFFFFF), "\x80\xFF\xFF\xFF\xFF"s);
  EXPECT_EQ(length(0x100000000), "\x81\x00\x00\x00\x01\x00\x00\x00\x00"s);
}

TEST(Rdb, EntryHasExpiryThenRecencyThenTypeThenKey) {
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

TEST(Rdb, TheHeadOfAnEntryComesBack) {
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

TEST(Rdb, AnEntryCutInItsHeadIsRefused) {
  std::string entry;
  append_entry_head(entry, {1, log_format::Recency::kIdle, 1 << 14}, kTypeModule, "key");
  for (std::size_t size = 0; size < entry.size(); ++size) {
    EXPECT_THROW(entry_head(std::string_view(entry).substr(0, size)), Error) << size;
  }
}

TEST(Rdb, WhoLoadsWhat) {
  constexpr int kRedis70 = 10;
  constexpr int kValkey81 = 11;
  constexpr int kRedis80 = 12;
  constexpr int kValkey91 = 80;
  EXPECT_TRUE(loads(kRedis80, kRedis80));
  EXPECT_TRUE(loads(kRedis80, kValkey81));
  EXPECT_TRUE(loads(kValkey91, kValkey81));
  EXPECT_TRUE(loads(kValkey91, kRedis70));
  EXPECT_FALSE(loads(kValkey91, kRedis80));
  EXPECT_FALSE(loads(kRedis80, kValkey91));
  EXPECT_FALSE(loads(kRedis70, kValkey81));
}

TEST(Rdb, ValkeysOwnVersionsHaveANameOfTheirOwn) {
  std::string file;
  append_file_head(file, 80);
  EXPECT_EQ(file, "VALKEY080");
}

TEST(Rdb, FileFrame) {
  std::string file;
  append_file_head(file, 10);
  append_aux(file, "repl-stream-db", "0");
  append_select_db(file, 3, 2, 1);
  append_file_end(file);
  EXPECT_EQ(file,
            "REDIS0010\xFA\x0Erepl-stream-db\x01"
            "0\xFE\x03\xFB\x02\x01\xFF"s +
                std::string(8, '\0'));
}

TEST(Rdb, ModuleTypeIdHasNineCharactersAndAVersion) {
  // A is 0, B is 1: one in the last of nine six-bit digits, above ten bits of version.
  EXPECT_EQ(module_type_id("AAAAAAAAB", 5), (1U << 10) | 5U);
  EXPECT_EQ(module_type_id("_________", 1023), UINT64_MAX);
  EXPECT_THROW(module_type_id("short", 1), Error);
  EXPECT_THROW(module_type_id("has space", 1), Error);
}

}  // namespace
}  // namespace rdmasync::redis::rdb

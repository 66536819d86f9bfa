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

TEST(Rdb, FileFrame) {
  std::string file;
  append_file_head(file);
  append_aux(file, "repl-stream-db", "0");
  append_select_db(file, 3, 2, 1);
  append_file_end(file);
  EXPECT_EQ(file,
            "REDIS0009\xFA\x0Erepl-stream-db\x01"
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

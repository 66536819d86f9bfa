#include "module/master/named_change.h"

#include <gtest/gtest.h>

#include <sstream>

namespace rdmasync::master {
namespace {

/// "event key [begin,end)...", or "-".
std::string named_by(const std::string& command) {
  std::vector<std::string> owned;
  std::istringstream in(command);
  for (std::string word; in >> word;) {
    owned.push_back(word);
  }
  const std::vector<std::string_view> words(owned.begin(), owned.end());
  const auto change = change_named_by(words);
  if (!change) {
    return "-";
  }
  std::ostringstream out;
  out << change->event << ' ' << change->key;
  for (const ByteRange& range : change->ranges) {
    out << " [" << range.begin << ',' << range.end << ')';
  }
  return out.str();
}

TEST(NamedChange, BytesOfAString) {
  EXPECT_EQ(named_by("SETBIT k 0 1"), "setbit k [0,1)");
  EXPECT_EQ(named_by("setbit k 15 1"), "setbit k [1,2)");
  EXPECT_EQ(named_by("SetRange k 10 abc"), "setrange k [10,13)");
  EXPECT_EQ(named_by("APPEND k abc"), "append k");
}

TEST(NamedChange, FieldsOfBits) {
  EXPECT_EQ(named_by("BITFIELD k SET u8 0 255"), "setbit k [0,1)");
  EXPECT_EQ(named_by("BITFIELD k SET u8 1 255"), "setbit k [0,2)");
  EXPECT_EQ(named_by("BITFIELD k SET i64 #2 5"), "setbit k [16,24)");
  EXPECT_EQ(named_by("BITFIELD k GET u4 0 OVERFLOW SAT INCRBY u1 8 1 set U16 32 7"),
            "setbit k [1,2) [4,6)");
  EXPECT_EQ(named_by("BITFIELD k GET u4 0"), "setbit k");
}

TEST(NamedChange, TheTimeOfAKey) {
  EXPECT_EQ(named_by("EXPIRE k 100"), "expire k");
  EXPECT_EQ(named_by("PEXPIREAT k 100 NX"), "expire k");
  EXPECT_EQ(named_by("PERSIST k"), "persist k");
}

TEST(NamedChange, WhatNamesLessIsNothing) {
  for (const char* command :
       {"SET k v", "GETSET k v", "INCR k", "SETBIT", "SETBIT k", "SETBIT k x 1", "SETBIT k -1 1",
        "SETBIT k 1 1 1", "SETRANGE k 99999999999999999999 v", "APPEND k", "BITFIELD k SET u8 0",
        "BITFIELD k SET u99 0 1", "BITFIELD k SET u8 #x 1", "BITFIELD k FROB u8 0 1",
        "BITFIELD k GET u8", "SETBITS k 1 1", "PFADD k a"}) {
    EXPECT_EQ(named_by(command), "-") << command;
  }
}

}  // namespace
}  // namespace rdmasync::master

#include "module/master/named_change.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <span>
#include <sstream>

namespace rdmasync::master {
namespace {

std::string shown(End end) {
  return end == End::kLeft ? "left" : "right";
}

std::string shown(const ListChange& change) {
  std::string out;
  if (change.pushed) {
    out += " pushed " + shown(*change.pushed);
  }
  if (change.popped) {
    out += " popped " + shown(*change.popped);
  }
  if (change.kept) {
    out += " kept " + std::to_string(change.kept->first) + ".." + std::to_string(change.kept->last);
  }
  if (change.replaced) {
    out += " replaced " + std::to_string(*change.replaced);
  }
  return out.empty() ? " as it is" : out;
}

/// "event... key [begin,end)... element...", with "; " between changes, or "-".
std::string named_by(const std::string& command) {
  std::vector<std::string> owned;
  std::istringstream in(command);
  for (std::string word; in >> word;) {
    owned.push_back(word);
  }
  const std::vector<std::string_view> words(owned.begin(), owned.end());
  const auto changes = changes_named_by(words);
  const auto keys = keys_with_named_changes(words.front());
  for (const NamedChange& change : changes) {
    const auto named = std::span(words).subspan(1, keys);
    EXPECT_NE(std::find(named.begin(), named.end(), change.key), named.end());
  }
  std::ostringstream out;
  for (const NamedChange& change : changes) {
    out << (&change == changes.data() ? "" : "; ");
    for (const std::string_view event : change.events) {
      out << event << (event.empty() ? "" : " ");
    }
    out << change.key;
    for (const ByteRange& range : change.ranges) {
      out << " [" << range.begin << ',' << range.end << ')';
    }
    for (const std::string& element : change.elements) {
      out << ' ' << element;
    }
    if (change.list) {
      out << shown(*change.list);
    }
  }
  return changes.empty() ? "-" : out.str();
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

TEST(NamedChange, FieldsOfAHash) {
  EXPECT_EQ(named_by("HSET k a 1 b 2"), "hset k a b");
  EXPECT_EQ(named_by("hmset k a 1"), "hset k a");
  EXPECT_EQ(named_by("HSETNX k a 1"), "hset k a");
  EXPECT_EQ(named_by("HINCRBY k a 1"), "hincrby k a");
  EXPECT_EQ(named_by("HINCRBYFLOAT k a 1.5"), "hincrbyfloat k a");
  EXPECT_EQ(named_by("HDEL k a b c"), "hdel k a b c");
}

TEST(NamedChange, FieldsThatEnd) {
  EXPECT_EQ(named_by("HEXPIRE k 10 FIELDS 2 a b"), "hexpire hdel hexpired k a b");
  EXPECT_EQ(named_by("HPEXPIREAT k 10 NX fields 1 fields"), "hexpire hdel hexpired k fields");
  EXPECT_EQ(named_by("HPERSIST k FIELDS 1 a"), "hpersist k a");
  EXPECT_EQ(named_by("HGETDEL k FIELDS 2 a b"), "hdel k a b");
  EXPECT_EQ(named_by("HGETEX k PXAT 5 FIELDS 1 a"), "hexpire hpersist hdel hexpired k a");
  EXPECT_EQ(named_by("HSETEX k FNX EX 10 FIELDS 2 a 1 b 2"), "hset hexpire hdel hexpired k a b");
}

TEST(NamedChange, Members) {
  EXPECT_EQ(named_by("SADD k a b"), "sadd k a b");
  EXPECT_EQ(named_by("SREM k a"), "srem k a");
  EXPECT_EQ(named_by("SMOVE k l a"), "srem k a; sadd l a");
  EXPECT_EQ(named_by("ZADD k 1 a 2 b"), "zadd zincr k a b");
  EXPECT_EQ(named_by("ZADD k GT CH 1 nx"), "zadd zincr k nx");
  EXPECT_EQ(named_by("ZADD k INCR 1 a"), "zadd zincr k a");
  EXPECT_EQ(named_by("ZINCRBY k 1 a"), "zincr k a");
  EXPECT_EQ(named_by("ZREM k a b"), "zrem k a b");
  EXPECT_EQ(named_by("GEOADD k XX 1 2 a 3 4 b"), "zadd k a b");
}

TEST(NamedChange, Lists) {
  EXPECT_EQ(named_by("LSET k -1 v"), "lset k replaced -1");
  EXPECT_EQ(named_by("LTRIM k 0 -2"), "ltrim k kept 0..-2");
  EXPECT_EQ(named_by("LMOVE k k RIGHT left"), "lpush k pushed left popped right; rpop k as it is");
  EXPECT_EQ(named_by("BLMOVE k k LEFT LEFT 0"), "lpush k pushed left popped left; lpop k as it is");
  EXPECT_EQ(named_by("RPOPLPUSH k k"), "lpush k pushed left popped right; rpop k as it is");
  EXPECT_EQ(named_by("BRPOPLPUSH k k 0"), "lpush k pushed left popped right; rpop k as it is");
}

TEST(NamedChange, WhatEventsTell) {
  const auto told_by = [](std::string_view event) {
    const NamedChange* const change = change_named_by(event);
    return change == nullptr ? "-" : change->list ? shown(*change->list) : " ended";
  };
  EXPECT_EQ(told_by("hexpired"), " ended");
  EXPECT_EQ(told_by("lpush"), " pushed left");
  EXPECT_EQ(told_by("rpush"), " pushed right");
  EXPECT_EQ(told_by("lpop"), " popped left");
  EXPECT_EQ(told_by("rpop"), " popped right");
  EXPECT_EQ(told_by("linsert"), "-");
  EXPECT_EQ(told_by("ltrim"), "-");
}

TEST(NamedChange, WhatNamesLessIsNothing) {
  for (const char* command : {"SET k v",
                              "GETSET k v",
                              "INCR k",
                              "SETBIT",
                              "SETBIT k",
                              "SETBIT k x 1",
                              "SETBIT k -1 1",
                              "SETBIT k 1 1 1",
                              "SETRANGE k 99999999999999999999 v",
                              "APPEND k",
                              "BITFIELD k SET u8 0",
                              "BITFIELD k SET u99 0 1",
                              "BITFIELD k SET u8 #x 1",
                              "BITFIELD k FROB u8 0 1",
                              "BITFIELD k GET u8",
                              "SETBITS k 1 1",
                              "PFADD k a",
                              "HSET k a",
                              "HSET k",
                              "HDEL k",
                              "HEXPIRE k 10 FIELDS 2 a",
                              "HEXPIRE k 10 a",
                              "HPERSIST k FIELDS x a",
                              "HGETDEL k FIELDS 1",
                              "HSETEX k FIELDS 2 a 1 b",
                              "HSETEX k FIELDS 1 a 1 EX 5",
                              "SADD k",
                              "SMOVE k l",
                              "LMOVE k l LEFT RIGHT",
                              "LMOVE k k LEFT",
                              "LMOVE k k LEFT UP",
                              "LSET k x v",
                              "LTRIM k 1",
                              "LTRIM k 1 99999999999999999999",
                              "LINSERT k BEFORE a b",
                              "LREM k 1 a",
                              "ZADD k 1",
                              "ZADD k NX",
                              "ZINCRBY k 1",
                              "GEOADD k 1 2",
                              "SPOP k",
                              "ZPOPMIN k 5",
                              "ZREMRANGEBYRANK k 0 1",
                              "SINTERSTORE k a b"}) {
    EXPECT_EQ(named_by(command), "-") << command;
  }
}

}  // namespace
}  // namespace rdmasync::master

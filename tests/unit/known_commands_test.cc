#include "module/master/known_commands.h"

#include <gtest/gtest.h>

namespace rdmasync::master {
namespace {

TEST(KnownCommands, WhatIsKnownToNotify) {
  for (const char* name : {"set", "hset", "lpush", "zadd", "xadd", "xgroup", "blpop"}) {
    EXPECT_EQ(how_it_notifies(name), Notifies::kTyped) << name;
  }
  for (const char* name : {"del", "expire", "rename", "move", "sinterstore"}) {
    EXPECT_EQ(how_it_notifies(name), Notifies::kGeneric) << name;
  }
  EXPECT_EQ(how_it_notifies("flushall"), Notifies::kKeyless);
}

TEST(KnownCommands, WhatIsNotKnownIsNotTrusted) {
  for (const char* name : {"xack", "xreadgroup", "xclaim", "xautoclaim", "pfcount", "pfdebug",
                           "xackdel", "hsetex", "vadd", "no-such-command", "SET", ""}) {
    EXPECT_EQ(how_it_notifies(name), Notifies::kUnknown) << name;
  }
}

}  // namespace
}  // namespace rdmasync::master

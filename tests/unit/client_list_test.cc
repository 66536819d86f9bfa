#include "module/redis/client_list.h"

#include <gtest/gtest.h>

namespace rdmasync::redis {
namespace {

TEST(ClientLine, AFieldIsAWholeWord) {
  const ClientLine line(
      "id=7 addr=[::1]:4711 laddr=[::1]:6379 name= multi=-1 multi-mem=12 flags=Sb cmd=client|list");
  EXPECT_EQ(line.field("id"), "7");
  EXPECT_EQ(line.field("addr"), "[::1]:4711");
  EXPECT_EQ(line.field("laddr"), "[::1]:6379");
  EXPECT_EQ(line.field("name"), "");
  EXPECT_EQ(line.field("cmd"), "client|list");
  EXPECT_EQ(line.field("mem"), "");
  EXPECT_EQ(line.number("multi"), -1);
  EXPECT_EQ(line.number("multi-mem"), 12);
  EXPECT_EQ(line.number("addr"), 0);
  EXPECT_TRUE(line.has_flag('b'));
  EXPECT_FALSE(line.has_flag('x'));
}

TEST(ClientLine, NothingHasNoFields) {
  EXPECT_EQ(ClientLine("").field("id"), "");
  EXPECT_EQ(ClientLine(" ").field(""), "");
  EXPECT_EQ(ClientLine("id").field("id"), "");
}

}  // namespace
}  // namespace rdmasync::redis

#include "module/protocol/replies.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "rdmasync/error.h"

namespace rdmasync::protocol {
namespace {

Attached attached() {
  Attached reply;
  reply.endpoint = "10.0.0.1:4711";
  reply.token.fill(std::byte{0xA5});
  reply.session = 7;
  reply.log_address = 1ULL << 63U;
  reply.rkeys = {1, 0xFFFFFFFF, 3};
  reply.part_size = 4096;
  reply.capacity = 8192;
  reply.export_number = 2;
  reply.rdb_version = 10;
  reply.server = "Redis 7.0.15";
  reply.modules = "rdmasync testtype";
  reply.has_backlog = true;
  reply.fills = true;
  reply.keys = {{0, 3}, {15, 1ULL << 40U}};
  return reply;
}

Fields with(Fields fields, const std::string& name, const std::string& value) {
  const auto found = std::find_if(fields.begin(), fields.end(),
                                  [&](const auto& field) { return field.first == name; });
  found->second = value;
  return fields;
}

std::string why_not(const Fields& fields) {
  try {
    attached_from(fields);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::kProtocol);
    return error.what();
  }
  return {};
}

TEST(Replies, AReplyToAttachComesBack) {
  const Attached back = attached_from(to_fields(attached()));
  EXPECT_EQ(back.token, attached().token);
  EXPECT_EQ(back.rkeys, attached().rkeys);
  EXPECT_EQ(to_fields(back), to_fields(attached()));
}

TEST(Replies, AReplyToCutComesBack) {
  CutReply reply;
  reply.replication_id = std::string(40, 'f');
  reply.offset = INT64_MAX;
  reply.keys = -1;
  reply.forced = true;
  const CutReply back = cut_reply_from(to_fields(reply));
  EXPECT_EQ(back.offset, INT64_MAX);
  EXPECT_EQ(to_fields(back), to_fields(reply));
}

TEST(Replies, AnAnswerComesBack) {
  const Answered back = answered_from(to_fields(Answered{true, INT64_MAX}));
  EXPECT_TRUE(back.psync);
  EXPECT_EQ(back.offset, INT64_MAX);
}

TEST(Replies, NumbersOfKeysAreNumbers) {
  EXPECT_EQ(attached_from(to_fields(attached())).keys, attached().keys);
  EXPECT_EQ(attached_from(with(to_fields(attached()), "keys", "")).keys.size(), 0U);
  for (const char* wrong : {"1", "1:", ":1", "a:1", "1:b", "1:2:3"}) {
    EXPECT_NE(why_not(with(to_fields(attached()), "keys", wrong)).find("a number"),
              std::string::npos)
        << wrong;
  }
}

TEST(Replies, AHelloComesBack) {
  const Hello back = hello_from(to_fields(Hello{"run", true, "first", "second"}));
  EXPECT_EQ(back.run_id, "run");
  EXPECT_TRUE(back.has_backlog);
  EXPECT_TRUE(back.has_history("first"));
  EXPECT_TRUE(back.has_history("second"));
  EXPECT_FALSE(back.has_history("third"));
}

TEST(Replies, EveryFieldThatLacksIsNamed) {
  for (const auto& lacking : to_fields(attached())) {
    const std::string& name = lacking.first;
    Fields fields = to_fields(attached());
    std::erase_if(fields, [&](const auto& field) { return field.first == name; });
    EXPECT_NE(why_not(fields).find("lacks '" + name + "'"), std::string::npos) << name;
  }
}

TEST(Replies, AFieldOfALaterVersionIsSkipped) {
  Fields fields = to_fields(attached());
  fields.insert(fields.begin(), {"new", "value"});
  EXPECT_EQ(why_not(fields), "");
}

TEST(Replies, WhatIsNoNumberIsNamed) {
  for (const char* name : {"session", "log", "rkeys", "part-size", "capacity", "rdb-version"}) {
    for (const char* value :
         {"x", "", "1x", " 1", "-1", "0x10", "1,,2", "99999999999999999999999"}) {
      const std::string why = why_not(with(to_fields(attached()), name, value));
      if (std::string_view(name) == "rdb-version" && std::string_view(value) == "-1") {
        continue;  // an int may be negative
      }
      EXPECT_NE(why, "") << name << " " << value;
      if (std::string_view(name) != "rkeys") {
        EXPECT_NE(why.find(std::string("'") + value + "' for '" + name + "'"), std::string::npos)
            << why;
      }
    }
  }
}

TEST(Replies, TokensAndFlagsAreWhole) {
  for (const char* value : {"", "a5", "zz", "A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5"}) {
    EXPECT_NE(why_not(with(to_fields(attached()), "token", value)).find("a token"),
              std::string::npos);
  }
  EXPECT_NE(why_not(with(to_fields(attached()), "backlog", "yes")).find("0 or 1"),
            std::string::npos);
}

TEST(Replies, RkeysAreOneForEachPart) {
  for (const char* rkeys : {"1,2", "1,2,3,4"}) {
    EXPECT_NE(why_not(with(to_fields(attached()), "rkeys", rkeys)).find("rkeys"),
              std::string::npos);
  }
  EXPECT_NE(why_not(with(to_fields(attached()), "part-size", "0")), "");
}

}  // namespace
}  // namespace rdmasync::protocol

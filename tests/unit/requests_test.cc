#include "module/protocol/requests.h"

#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

#include "rdmasync/error.h"
#include "rdmasync/protocol.h"

namespace rdmasync::protocol {
namespace {

/// One of each, with every field set to what it is not by default.
std::vector<Request> one_of_each() {
  return {request::Hello{},
          request::Attach{{}, "verbs"},
          request::Prime{},
          request::Ack{UINT64_MAX},
          request::Cut{},
          request::Detach{},
          request::Native{{"10.0.0.1:6379", "::1:6380"}},
          request::Await{100},
          request::Answer{std::string(40, 'f'), std::string("\0\r\n", 3), 7},
          request::Later{"a reason"},
          request::Decline{""},
          request::Psync{},
          request::Fill{std::string(40, 'a'), INT64_MAX},
          request::AskAgain{},
          request::NotYet{},
          request::Loading{}};
}

std::vector<std::string> words_of(const Request& request) {
  auto command = to_command(request);
  EXPECT_EQ(command.front(), kExportCommand);
  command.erase(command.begin());
  return command;
}

Request read(const std::vector<std::string>& words) {
  return request_from(std::vector<std::string_view>(words.begin(), words.end()));
}

Error error_of(const std::vector<std::string>& words) {
  try {
    read(words);
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "taken";
  return {Errc::kResources, ""};
}

bool names(const Error& error, const std::string& what) {
  return std::string(error.what()).find(what) != std::string::npos;
}

TEST(Requests, EachComesBack) {
  const auto all = one_of_each();
  ASSERT_EQ(all.size(), std::variant_size_v<Request>);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto words = words_of(all[i]);
    const Request back = read(words);
    EXPECT_EQ(back.index(), i) << words.front();
    EXPECT_EQ(words_of(back), words);
  }
}

TEST(Requests, FieldsStandInTheirOrder) {
  EXPECT_EQ(words_of(request::Attach{{}, "cma"}),
            (std::vector<std::string>{"ATTACH", std::to_string(kVersion), "cma"}));
  EXPECT_EQ(words_of(request::Answer{"id", "stub", 3}),
            (std::vector<std::string>{"ANSWER", "id", "stub", "3"}));
  EXPECT_EQ(words_of(request::Native{{"a", "b"}}), (std::vector<std::string>{"NATIVE", "a", "b"}));
  EXPECT_EQ(words_of(request::Native{}), (std::vector<std::string>{"NATIVE"}));
}

TEST(Requests, WhatLacksIsNamed) {
  for (const Request& request : one_of_each()) {
    auto words = words_of(request);
    if (std::holds_alternative<request::Native>(request)) {
      continue;  // as many as there are
    }
    while (words.size() > 1) {
      words.pop_back();
      const Error error = error_of(words);
      EXPECT_EQ(error.code(), Errc::kUsage);
      EXPECT_TRUE(names(error, std::string(kExportCommand) + " " + words.front() + " lacks its "))
          << error.what();
    }
  }
  EXPECT_TRUE(names(error_of({"ATTACH", std::to_string(kVersion)}), "lacks its fabric"));
  EXPECT_EQ(error_of({}).code(), Errc::kUsage);
}

TEST(Requests, WhatIsNoNumberIsNamed) {
  for (const char* value : {"", "x", "1x", " 1", "0x10", "99999999999999999999999"}) {
    for (const auto& words :
         std::vector<std::vector<std::string>>{{"ATTACH", value, "cma"},
                                               {"ACK", value},
                                               {"AWAIT", value},
                                               {"ANSWER", "session", "stub", value},
                                               {"FILL", "session", value}}) {
      const Error error = error_of(words);
      EXPECT_EQ(error.code(), Errc::kProtocol);
      EXPECT_TRUE(names(error, words.front() + " has '" + value + "' for ")) << error.what();
    }
  }
  EXPECT_EQ(error_of({"ACK", "-1"}).code(), Errc::kProtocol);
}

TEST(Requests, AnotherVersionIsSaid) {
  for (const std::int64_t other : {std::int64_t{0}, kVersion - 1, kVersion + 1}) {
    const Error error = error_of({"ATTACH", std::to_string(other), "cma"});
    EXPECT_EQ(error.code(), Errc::kProtocol);
    EXPECT_TRUE(names(error, "different versions")) << error.what();
    // Whatever that version has after it.
    EXPECT_TRUE(names(error_of({"ATTACH", std::to_string(other)}), "different versions"));
  }
}

TEST(Requests, UnknownOnesAreNamed) {
  for (const char* name : {"", "ATTACHED", "attach", "ATTAC", "PSYNC2"}) {
    const Error error = error_of({name, "9", "cma"});
    EXPECT_EQ(error.code(), Errc::kUsage);
    EXPECT_TRUE(names(error, std::string("'") + name + "'")) << error.what();
  }
}

TEST(Requests, WhatALaterVersionAddsIsSkipped) {
  EXPECT_EQ(words_of(read({"ACK", "5", "and more"})), words_of(request::Ack{5}));
  // A filter leaves a command's own arguments where they are.
  EXPECT_TRUE(std::holds_alternative<request::Loading>(read({"LOADING", "key", "value"})));
}

}  // namespace
}  // namespace rdmasync::protocol

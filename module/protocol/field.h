#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "rdma/token_text.h"
#include "rdmasync/error.h"
#include "rdmasync/number.h"

/// A value of a message as text, and back: print() and parse(), for each type that one may have.
namespace rdmasync::protocol {

/// A member of a message, and its name.
template <typename Message, typename Member>
struct Field {
  const char* name;
  Member Message::*member;
};
template <typename Message, typename Member>
Field(const char*, Member Message::*) -> Field<Message, Member>;

/// What is being read, for errors.
struct Place {
  std::string_view message;
  std::string_view field;
};

/// Error(kProtocol), which says what is wrong and where.
[[noreturn]] inline void refuse(const Place& at, std::string_view text, std::string_view wanted) {
  throw Error(Errc::kProtocol, fmt::format("{} has '{}' for '{}', where {} belongs", at.message,
                                           text, at.field, wanted));
}

inline std::string print(const std::string& value) {
  return value;
}
inline void parse(const Place&, std::string_view text, std::string& value) {
  value = text;
}

inline std::string print(bool value) {
  return value ? "1" : "0";
}
inline void parse(const Place& at, std::string_view text, bool& value) {
  if (text != "0" && text != "1") {
    refuse(at, text, "0 or 1");
  }
  value = text == "1";
}

template <std::integral Number>
std::string print(Number value) {
  return std::to_string(value);
}
template <std::integral Number>
void parse(const Place& at, std::string_view text, Number& value) {
  const auto number = to_number<Number>(text);
  if (!number) {
    refuse(at, text, "a number");
  }
  value = *number;
}

inline std::string print(const std::vector<std::uint32_t>& value) {
  return fmt::format("{}", fmt::join(value, ","));
}
inline void parse(const Place& at, std::string_view text, std::vector<std::uint32_t>& value) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    parse(at, text.substr(0, end), value.emplace_back());
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

inline std::string print(const std::map<std::uint32_t, std::uint64_t>& value) {
  std::string text;
  for (const auto& [first, second] : value) {
    text += fmt::format("{}{}:{}", text.empty() ? "" : ",", first, second);
  }
  return text;
}
inline void parse(const Place& at, std::string_view text,
                  std::map<std::uint32_t, std::uint64_t>& value) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    const std::size_t middle = std::min(text.find(':'), end);
    std::uint32_t first = 0;
    parse(at, text.substr(0, middle), first);
    parse(at, text.substr(0, end).substr(std::min(middle + 1, end)), value[first]);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

inline std::string print(const rdma::Token& value) {
  return rdma::to_text(value);
}
inline void parse(const Place& at, std::string_view text, rdma::Token& value) {
  const auto token = rdma::token_from_text(text);
  if (!token) {
    refuse(at, text, "a token");
  }
  value = *token;
}

}  // namespace rdmasync::protocol

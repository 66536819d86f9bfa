#include "module/protocol/requests.h"

#include <iterator>
#include <optional>
#include <tuple>

#include "module/protocol/field.h"
#include "rdmasync/protocol.h"

namespace rdmasync::protocol {

namespace {

using protocol::parse;
using protocol::print;
using Words = std::span<const std::string_view>;

std::string print(Version) {
  return std::to_string(kVersion);
}
void parse(const Place& at, std::string_view text, Version&) {
  std::int64_t version = 0;
  parse(at, text, version);
  if (version != kVersion) {
    throw Error(Errc::kProtocol,
                "master and replica run different versions of rdmasync: load the same on both");
  }
}

template <typename Message>
constexpr std::tuple kFields{};
template <>
constexpr std::tuple kFields<request::Attach> = {
    Field{"version", &request::Attach::version},
    Field{"fabric", &request::Attach::fabric},
};
template <>
constexpr std::tuple kFields<request::Ack> = {Field{"position", &request::Ack::position}};
template <>
constexpr std::tuple kFields<request::Native> = {Field{"addresses", &request::Native::addresses}};
template <>
constexpr std::tuple kFields<request::Await> = {
    Field{"milliseconds", &request::Await::milliseconds}};
template <>
constexpr std::tuple kFields<request::Answer> = {
    Field{"session", &request::Answer::session},
    Field{"stub", &request::Answer::stub},
    Field{"inserts", &request::Answer::inserts},
};
template <>
constexpr std::tuple kFields<request::Later> = {Field{"reason", &request::Later::reason}};
template <>
constexpr std::tuple kFields<request::Decline> = {Field{"reason", &request::Decline::reason}};
template <>
constexpr std::tuple kFields<request::Fill> = {
    Field{"session", &request::Fill::session},
    Field{"offset", &request::Fill::offset},
};

template <typename Member>
void write(std::vector<std::string>& command, const Member& member) {
  command.push_back(print(member));
}
void write(std::vector<std::string>& command, const std::vector<std::string>& all_that_follow) {
  command.insert(command.end(), all_that_follow.begin(), all_that_follow.end());
}

template <typename Member>
void read(const Place& at, Words& words, Member& member) {
  if (words.empty()) {
    throw Error(Errc::kUsage,
                fmt::format("{} {} lacks its {}", kExportCommand, at.message, at.field));
  }
  parse(at, words.front(), member);
  words = words.subspan(1);
}
void read(const Place&, Words& words, std::vector<std::string>& all_that_follow) {
  all_that_follow.assign(words.begin(), words.end());
  words = {};
}

template <typename Message>
Message decode(Words words) {
  Message message;
  const auto read_one = [&](const auto& field) {
    read({Message::kName, field.name}, words, message.*field.member);
  };
  std::apply([&](const auto&... field) { (read_one(field), ...); }, kFields<Message>);
  return message;
}

template <typename... Messages>
std::optional<std::variant<Messages...>> find(std::string_view name, Words words,
                                              const std::variant<Messages...>*) {
  std::optional<std::variant<Messages...>> found;
  const auto is_named = [&]<typename Message>(std::type_identity<Message>) {
    if (name != Message::kName) {
      return false;
    }
    found = decode<Message>(words);
    return true;
  };
  (is_named(std::type_identity<Messages>{}) || ...);
  return found;
}

}  // namespace

std::vector<std::string> to_command(const Request& request) {
  return std::visit(
      []<typename Message>(const Message& message) {
        std::vector<std::string> command = {kExportCommand, Message::kName};
        std::apply([&](const auto&... field) { (write(command, message.*field.member), ...); },
                   kFields<Message>);
        return command;
      },
      request);
}

Request request_from(std::span<const std::string_view> words) {
  if (words.empty()) {
    throw Error(Errc::kUsage, fmt::format("{} lacks a subcommand", kExportCommand));
  }
  constexpr const Request* kAny = nullptr;
  auto found = find(words.front(), words.subspan(1), kAny);
  if (!found) {
    throw Error(Errc::kUsage,
                fmt::format("{} has no subcommand '{}'", kExportCommand, words.front()));
  }
  return *std::move(found);
}

}  // namespace rdmasync::protocol

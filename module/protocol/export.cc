#include "module/protocol/export.h"

#include <algorithm>
#include <tuple>

#include "rdma/token_text.h"
#include "rdmasync/error.h"
#include "rdmasync/log_format.h"
#include "rdmasync/number.h"

namespace rdmasync::protocol {

namespace {

[[noreturn]] void refuse(std::string_view name, std::string_view text, const char* wanted) {
  throw Error(Errc::kProtocol, "the master's reply has '" + std::string(text) + "' for '" +
                                   std::string(name) + "', where " + wanted + " belongs");
}

// A value of each type as text, and back.

std::string print(const std::string& value) {
  return value;
}
void parse(std::string_view, std::string_view text, std::string& value) {
  value = text;
}

std::string print(bool value) {
  return value ? "1" : "0";
}
void parse(std::string_view name, std::string_view text, bool& value) {
  if (text != "0" && text != "1") {
    refuse(name, text, "0 or 1");
  }
  value = text == "1";
}

template <std::integral Number>
std::string print(Number value) {
  return std::to_string(value);
}
template <std::integral Number>
void parse(std::string_view name, std::string_view text, Number& value) {
  const auto number = to_number<Number>(text);
  if (!number) {
    refuse(name, text, "a number");
  }
  value = *number;
}

std::string print(const std::vector<std::uint32_t>& value) {
  std::string text;
  for (const std::uint32_t number : value) {
    text.append(text.empty() ? "" : ",").append(std::to_string(number));
  }
  return text;
}
void parse(std::string_view name, std::string_view text, std::vector<std::uint32_t>& value) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    parse(name, text.substr(0, end), value.emplace_back());
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::string print(const std::map<std::uint32_t, std::uint64_t>& value) {
  std::string text;
  for (const auto& [first, second] : value) {
    text.append(text.empty() ? "" : ",")
        .append(std::to_string(first) + ":" + std::to_string(second));
  }
  return text;
}
void parse(std::string_view name, std::string_view text,
           std::map<std::uint32_t, std::uint64_t>& value) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    const std::size_t middle = std::min(text.find(':'), end);
    std::uint32_t first = 0;
    parse(name, text.substr(0, middle), first);
    parse(name, text.substr(0, end).substr(std::min(middle + 1, end)), value[first]);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::string print(const rdma::Token& value) {
  return rdma::to_text(value);
}
void parse(std::string_view name, std::string_view text, rdma::Token& value) {
  const auto token = rdma::token_from_text(text);
  if (!token) {
    refuse(name, text, "a token");
  }
  value = *token;
}

template <typename Message, typename Member>
struct Field {
  const char* name;
  Member Message::*member;
};
template <typename Message, typename Member>
Field(const char*, Member Message::*) -> Field<Message, Member>;

constexpr std::tuple kAttached = {
    Field{"endpoint", &Attached::endpoint},
    Field{"token", &Attached::token},
    Field{"session", &Attached::session},
    Field{"log", &Attached::log_address},
    Field{"rkeys", &Attached::rkeys},
    Field{"part-size", &Attached::part_size},
    Field{"capacity", &Attached::capacity},
    Field{"export", &Attached::export_number},
    Field{"rdb-version", &Attached::rdb_version},
    Field{"server", &Attached::server},
    Field{"modules", &Attached::modules},
    Field{"backlog", &Attached::has_backlog},
    Field{"fills", &Attached::fills},
    Field{"keys", &Attached::keys},
};

constexpr std::tuple kCutReply = {
    Field{"again-after-round", &CutReply::again_after_round},
    Field{"asking", &CutReply::asking},
    Field{"replication-id", &CutReply::replication_id},
    Field{"offset", &CutReply::offset},
    Field{"stream-db", &CutReply::stream_db},
    Field{"keys", &CutReply::keys},
    Field{"us", &CutReply::us},
    Field{"forced", &CutReply::forced},
};

constexpr std::tuple kHelloReply = {
    Field{"run-id", &Hello::run_id},
    Field{"backlog", &Hello::has_backlog},
    Field{"replication-id", &Hello::replication_id},
    Field{"second-id", &Hello::second_id},
};

constexpr std::tuple kWaits = {Field{"psync", &Waits::psync}};

constexpr std::tuple kAnswered = {
    Field{"psync", &Answered::psync},
    Field{"offset", &Answered::offset},
};

template <typename Message, typename... Table>
Fields encode(const Message& message, const std::tuple<Table...>& table) {
  return std::apply(
      [&](const auto&... field) {
        return Fields{{field.name, print(message.*field.member)}...};
      },
      table);
}

template <typename Message, typename... Table>
Message decode(const Fields& fields, const std::tuple<Table...>& table) {
  Message message;
  const auto read = [&](const auto& field) {
    const auto found = std::find_if(fields.begin(), fields.end(),
                                    [&](const auto& one) { return one.first == field.name; });
    if (found == fields.end()) {
      throw Error(Errc::kProtocol, std::string("the master's reply lacks '") + field.name + "'");
    }
    parse(field.name, found->second, message.*field.member);
  };
  std::apply([&](const auto&... field) { (read(field), ...); }, table);
  return message;
}

}  // namespace

Fields to_fields(const Attached& reply) {
  return encode(reply, kAttached);
}
Fields to_fields(const CutReply& reply) {
  return encode(reply, kCutReply);
}
Fields to_fields(const Hello& reply) {
  return encode(reply, kHelloReply);
}
Fields to_fields(const Waits& reply) {
  return encode(reply, kWaits);
}
Fields to_fields(const Answered& reply) {
  return encode(reply, kAnswered);
}

Attached attached_from(const Fields& fields) {
  auto reply = decode<Attached>(fields, kAttached);
  const std::uint64_t size = log_format::kHeaderSize + reply.capacity;
  if (reply.part_size == 0 || reply.rkeys.size() != (size - 1) / reply.part_size + 1) {
    throw Error(Errc::kProtocol, "the master's reply has too few rkeys, or too many");
  }
  return reply;
}
CutReply cut_reply_from(const Fields& fields) {
  return decode<CutReply>(fields, kCutReply);
}
Hello hello_from(const Fields& fields) {
  return decode<Hello>(fields, kHelloReply);
}
Waits waits_from(const Fields& fields) {
  return decode<Waits>(fields, kWaits);
}
Answered answered_from(const Fields& fields) {
  return decode<Answered>(fields, kAnswered);
}

}  // namespace rdmasync::protocol

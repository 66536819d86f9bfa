#include "module/protocol/replies.h"

#include <algorithm>
#include <tuple>

#include "module/protocol/field.h"
#include "rdmasync/log_format.h"

namespace rdmasync::protocol {

namespace {

constexpr std::string_view kReply = "the master's reply";

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
      throw Error(Errc::kProtocol, fmt::format("{} lacks '{}'", kReply, field.name));
    }
    parse({kReply, field.name}, found->second, message.*field.member);
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

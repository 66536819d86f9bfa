#include "module/redis/stream_groups.h"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "module/redis/commands_called.h"
#include "module/redis/owned.h"
#include "module/redis/rdb.h"
#include "module/redis/server.h"
#include "rdmasync/error.h"

namespace rdmasync::redis {

namespace {

// What a server of Redis 7.0 writes, and one of 7.2 or later, whose consumers have a time of their
// last success, too.
constexpr char kTypeOf70 = 19;
constexpr char kTypeOf72 = 21;
constexpr int kVersionOf70 = 10;

/// Of a reply that is a list of names and values.
RedisModuleCallReply* field(RedisModuleCallReply* fields, std::string_view name) {
  for (std::size_t at = 0; at + 1 < CallReplyLength(fields); at += 2) {
    if (view(CallReplyArrayElement(fields, at)) == name) {
      return CallReplyArrayElement(fields, at + 1);
    }
  }
  throw Error(Errc::kRefused, "XINFO has no " + std::string(name));
}

std::uint64_t number(RedisModuleCallReply* reply) {
  return static_cast<std::uint64_t>(CallReplyInteger(reply));
}

StreamId id_in(RedisModuleCallReply* reply) {
  const auto id = stream_id(view(reply));
  if (!id) {
    throw Error(Errc::kRefused, "XINFO has an id that is none");
  }
  return *id;
}

template <typename Visit>
void for_each(RedisModuleCallReply* array, Visit&& visit) {
  for (std::size_t i = 0; i < CallReplyLength(array); ++i) {
    visit(CallReplyArrayElement(array, i));
  }
}

void append_raw_id(std::string& out, const StreamId& id) {
  for (const std::uint64_t half : {id.ms, id.sequence}) {
    for (int shift = 56; shift >= 0; shift -= 8) {
      rdb::append_byte(out, (half >> shift) & 0xFF);
    }
  }
}

void append_id(std::string& out, const StreamId& id) {
  rdb::append_length(out, id.ms);
  rdb::append_length(out, id.sequence);
}

/// Everything of it that has an id and a time, pending with one of its consumers.
void append_pending(std::string& out, RedisModuleCallReply* pending) {
  rdb::append_length(out, CallReplyLength(pending));
  for_each(pending, [&](RedisModuleCallReply* one) {  // id, consumer, delivery time, deliveries
    append_raw_id(out, id_in(CallReplyArrayElement(one, 0)));
    rdb::append_little_endian(out, number(CallReplyArrayElement(one, 2)));
    rdb::append_length(out, number(CallReplyArrayElement(one, 3)));
  });
}

void append_consumer(std::string& out, char type, RedisModuleCallReply* consumer) {
  rdb::append_string(out, view(field(consumer, "name")));
  rdb::append_little_endian(out, number(field(consumer, "seen-time")));
  if (type == kTypeOf72) {
    rdb::append_little_endian(out, number(field(consumer, "active-time")));
  }
  RedisModuleCallReply* const pending = field(consumer, "pending");
  rdb::append_length(out, CallReplyLength(pending));
  for_each(pending, [&](RedisModuleCallReply* one) {  // id, delivery time, deliveries
    append_raw_id(out, id_in(CallReplyArrayElement(one, 0)));
  });
}

void append_group(std::string& out, char type, RedisModuleCallReply* group) {
  rdb::append_string(out, view(field(group, "name")));
  append_id(out, id_in(field(group, "last-delivered-id")));
  RedisModuleCallReply* const read = field(group, "entries-read");
  constexpr std::uint64_t kUnknown = UINT64_MAX;
  rdb::append_length(out, CallReplyType(read) == kReplyInteger ? number(read) : kUnknown);
  append_pending(out, field(group, "pending"));
  RedisModuleCallReply* const consumers = field(group, "consumers");
  rdb::append_length(out, CallReplyLength(consumers));
  for_each(consumers, [&](RedisModuleCallReply* one) { append_consumer(out, type, one); });
}

/// A stream that never had an entry.
std::string without_entries(char type, RedisModuleCallReply* groups) {
  std::string out(1, type);
  constexpr int kNumbers = 9;  // nodes, length, last, first and greatest deleted id, entries added
  for (int i = 0; i < kNumbers; ++i) {
    rdb::append_length(out, 0);
  }
  rdb::append_length(out, CallReplyLength(groups));
  for_each(groups, [&](RedisModuleCallReply* group) { append_group(out, type, group); });
  return out;
}

}  // namespace

bool knows_streams(RedisModuleCtx* ctx) {
  constexpr std::array kKnown{kVersionOf70, 11, 12, 80};
  // A newer server trims by what groups have acknowledged, too, and so not from the beginning.
  return std::find(kKnown.begin(), kKnown.end(), rdb_version(ctx)) != kKnown.end() &&
         has(ctx, kXinfo) && !has(ctx, kXackdel);
}

std::size_t pending_entries(RedisModuleCtx* ctx, std::string_view key) {
  std::size_t sum = 0;
  const Reply groups = call(ctx, kXinfo, {"GROUPS", key});
  for_each(groups.get(),
           [&](RedisModuleCallReply* group) { sum += number(field(group, "pending")); });
  return sum;
}

StreamGroups stream_groups(RedisModuleCtx* ctx, std::string_view key, std::size_t pending) {
  // As many entries of the stream come along, and 0 would be all.
  const std::string count = std::to_string(std::max(pending, std::size_t{1}));
  const Reply all = call(ctx, kXinfo, {"STREAM", key, "FULL", "COUNT", count});
  const int version = rdb_version(ctx);
  StreamGroups groups{.last = id_in(field(all.get(), "last-generated-id")),
                      .added = number(field(all.get(), "entries-added")),
                      .max_deleted = id_in(field(all.get(), "max-deleted-entry-id"))};
  groups.payload = rdb::for_restore(
      without_entries(version == kVersionOf70 ? kTypeOf70 : kTypeOf72, field(all.get(), "groups")),
      version);
  return groups;
}

}  // namespace rdmasync::redis

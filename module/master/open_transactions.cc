#include "module/master/open_transactions.h"

#include <algorithm>
#include <string_view>

#include "module/number.h"
#include "module/redis/owned.h"
#include "module/redis/server.h"

namespace rdmasync::master {

namespace {

/// Of a line of CLIENT LIST; `name` as it is there, with a space before it unless it is the first.
std::string_view field(std::string_view line, std::string_view name) {
  const auto start = line.find(name);
  if (start == std::string_view::npos) return {};
  const auto value = line.substr(start + name.size());
  return value.substr(0, value.find(' '));
}

std::string_view take_line(std::string_view& text) {
  const auto line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

std::int64_t number(std::string_view line, std::string_view name) {
  return to_number<std::int64_t>(field(line, name)).value_or(0);
}

}  // namespace

OpenTransactions::OpenTransactions(RedisModuleCtx* ctx) {
  const auto reply = redis::call(ctx, redis::kClient, {"LIST"});
  auto list = redis::view(reply.get());
  queued_ = parse(list);
  while (!list.empty() && !readers_) {
    const auto line = take_line(list);
    readers_ = field(line, " cmd=") == "xreadgroup" &&
               field(line, " flags=").find('b') != std::string_view::npos;
  }
}

OpenTransactions::Queues OpenTransactions::parse(std::string_view client_list) {
  Queues queues;
  while (!client_list.empty()) {
    const auto line = take_line(client_list);
    const Queue queue{number(line, " multi="), number(line, " multi-mem=")};
    if (queue.commands > 0) queues.emplace(field(line, "id="), queue);
  }
  return queues;
}

bool OpenTransactions::look(RedisModuleCtx* ctx) {
  bool ended = false;
  for (auto before = queued_.begin(); before != queued_.end();) {
    const auto reply = redis::call(ctx, redis::kClient, {"LIST", "ID", before->first});
    const Queues now = parse(redis::view(reply.get()));
    // A transaction only grows. One of other commands that is as large may be the next one of a
    // client that sent EXEC and MULTI at once: it counts as ended, and is watched all the same.
    const auto same = now.find(before->first);
    if (same == now.end() || same->second.commands < before->second.commands) {
      ended = true;
      before = queued_.erase(before);
      continue;
    }
    if (same->second.commands != before->second.commands ||
        same->second.bytes != before->second.bytes) {
      ended = true;
      before->second = same->second;
    }
    ++before;
  }
  return ended;
}

}  // namespace rdmasync::master

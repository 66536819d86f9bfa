#include "module/master/open_transactions.h"

#include <algorithm>

#include "module/redis/client_list.h"

namespace rdmasync::master {

OpenTransactions::OpenTransactions(RedisModuleCtx* ctx) {
  const redis::ClientList list(ctx, {});
  queued_ = queues_of(list);
  readers_ = std::any_of(list.clients().begin(), list.clients().end(), [](const auto& client) {
    return client.field("cmd") == "xreadgroup" && client.has_flag('b');
  });
}

OpenTransactions::Queues OpenTransactions::queues_of(const redis::ClientList& list) {
  Queues queues;
  for (const redis::ClientLine& client : list.clients()) {
    const Queue queue{client.number("multi"), client.number("multi-mem")};
    if (queue.commands > 0) {
      queues.emplace(client.field("id"), queue);
    }
  }
  return queues;
}

bool OpenTransactions::look(RedisModuleCtx* ctx) {
  bool ended = false;
  for (auto before = queued_.begin(); before != queued_.end();) {
    const Queues now = queues_of(redis::ClientList(ctx, {"ID", before->first}));
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

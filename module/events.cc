#include "module/events.h"

#include <algorithm>
#include <array>
#include <string>

#include "module/commands.h"
#include "module/config.h"
#include "module/master/write_watch.h"
#include "module/redis/guard.h"
#include "module/redis/server.h"
#include "module/replica/stub_load.h"
#include "rdmasync/log_format.h"

namespace rdmasync {

namespace {

void event_loop(RedisModuleCtx*, std::uint64_t subevent, void*) {
  if (subevent == redis::kBeforeSleep) {
    halves().exports.before_sleep();
    halves().replica.before_sleep();
  }
}

/// rdmasync.slaveof, from redis.conf or CONFIG SET: seen here, where the server is up and loaded.
void follow_slaveof_directive() {
  static std::string followed;
  if (config().slaveof == followed) {
    return;
  }
  followed = config().slaveof;
  if (followed.empty()) {
    return;
  }
  const auto space = followed.find(' ');
  halves().replica.start(followed.substr(0, space), followed.substr(space + 1));
}

void cron(RedisModuleCtx*, std::uint64_t, void*) {
  halves().exports.cron();
  halves().replica.cron();
  follow_slaveof_directive();
}

void client_change(RedisModuleCtx*, std::uint64_t subevent, void* data) {
  if (subevent != redis::kClientDisconnected) {
    return;
  }
  halves().exports.client_gone(static_cast<const RedisModuleClientInfo*>(data)->id);
}

void role_change(RedisModuleCtx*, std::uint64_t subevent, void*) {
  if (subevent == redis::kNowReplica) {
    halves().exports.dataset_gone("the master has become a replica");
  }
  halves().replica.role_changed();
}

void master_link(RedisModuleCtx*, std::uint64_t subevent, void*) {
  if (subevent == redis::kMasterLinkUp) {
    halves().replica.master_link_up();
  } else {
    halves().replica.master_link_down();
  }
}

void loading(RedisModuleCtx*, std::uint64_t subevent, void*) {
  if (subevent <= redis::kLoadingReplicationStart) {
    halves().exports.dataset_gone("the master loads another dataset");
    halves().replica.loading_began();
  } else {
    halves().replica.loading_ended();
  }
}

void load_beside(RedisModuleCtx*, std::uint64_t subevent, void*) {
  if (subevent == redis::kAsyncLoadStarted) {
    replica::load_beside_began();
  } else {
    replica::load_beside_ended(subevent == redis::kAsyncLoadCompleted);
  }
}

void flush(RedisModuleCtx*, std::uint64_t subevent, void* data) {
  if (subevent != redis::kFlushEnd) {
    return;
  }
  const auto db = static_cast<const RedisModuleFlushInfo*>(data)->dbnum;
  halves().exports.flushed(db < 0 ? log_format::kAllDatabases : static_cast<std::uint32_t>(db));
}

void swap(RedisModuleCtx*, std::uint64_t, void* data) {
  const auto* databases = static_cast<const RedisModuleSwapDbInfo*>(data);
  halves().exports.swapped(static_cast<std::uint32_t>(databases->dbnum_first),
                           static_cast<std::uint32_t>(databases->dbnum_second));
}

void slot_migration(RedisModuleCtx*, std::uint64_t, void*) {
  halves().exports.dataset_gone(master::kSlotsMigrate);
}

void shutdown(RedisModuleCtx*, std::uint64_t, void*) {
  halves().replica.shutdown();
}

/// Deleted, expired, evicted or overwritten.
void key_change(RedisModuleCtx* ctx, std::uint64_t, void* data) {
  master::key_gone(ctx, static_cast<const RedisModuleKeyInfo*>(data)->key);
}

struct Subscription {
  const char* name;  ///< for the log, if it fails
  RedisModuleEvent event;
  void (*hear)(RedisModuleCtx* ctx, std::uint64_t subevent, void* data);
};

constexpr std::array kSubscriptions = {
    Subscription{"event loop", redis::kEventEventLoop, event_loop},
    Subscription{"cron", redis::kEventCron, cron},
    Subscription{"client event", redis::kEventClientChange, client_change},
    Subscription{"role event", redis::kEventRoleChanged, role_change},
    Subscription{"master link event", redis::kEventMasterLink, master_link},
    Subscription{"loading event", redis::kEventLoading, loading},
    Subscription{"async load event", redis::kEventReplAsyncLoad, load_beside},
    Subscription{"flush event", redis::kEventFlushDb, flush},
    Subscription{"swapdb event", redis::kEventSwapDb, swap},
    Subscription{"shutdown event", redis::kEventShutdown, shutdown},
};

// Apart from the others: the first costs every key that goes, and Redis has another event of the
// second's number.
constexpr Subscription kKeySubscription{"key event", redis::kEventKey, key_change};
constexpr Subscription kSlotSubscription{"slot migration event", redis::kEventAtomicSlotMigration,
                                         slot_migration};

void on_event(RedisModuleCtx* ctx, RedisModuleEvent event, std::uint64_t subevent, void* data) {
  const auto is_heard = [&](const Subscription& one) { return one.event.id == event.id; };
  const auto* heard = std::find_if(kSubscriptions.begin(), kSubscriptions.end(), is_heard);
  if (heard == kSubscriptions.end()) {
    heard = is_heard(kKeySubscription) ? &kKeySubscription : &kSlotSubscription;
  }
  redis::event_guard(heard->name, [&] { heard->hear(ctx, subevent, data); });
}

}  // namespace

void subscribe_to_events(RedisModuleCtx* ctx) {
  for (const Subscription& one : kSubscriptions) {
    redis::SubscribeToServerEvent(ctx, one.event, on_event);
  }
  if (redis::has_migrateslots()) {
    redis::SubscribeToServerEvent(ctx, kSlotSubscription.event, on_event);
  }
}

void subscribe_to_key_events(RedisModuleCtx* ctx) {
  redis::SubscribeToServerEvent(ctx, kKeySubscription.event, on_event);
}

}  // namespace rdmasync

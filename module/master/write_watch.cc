#include "module/master/write_watch.h"

#include <utility>

#include "module/events.h"
#include "module/fault.h"
#include "module/master/command_watch.h"
#include "module/redis/context.h"
#include "module/redis/guard.h"
#include "module/redis/owned.h"

namespace rdmasync::master {

namespace {

WriteListener* g_listener = nullptr;

/// Valkey 8.1 and others of its time run callbacks on the client whose command notifies, and leave
/// it in the database that the notification is of. With any module that listens, MOVE, and COPY to
/// another database, are then replicated for the wrong one (valkey pull request 4024 has the cure).
bool g_notifications_move_clients = false;

/// A class that no server uses.
constexpr int kNotifyTrial = 1 << 30;

/// The classes that may tell of another database than the client's: MOVE and COPY make a key there,
/// and find that the one of that name has expired.
constexpr int kElsewhere = redis::kNotifyGeneric | redis::kNotifyNew | redis::kNotifyExpired;

/// Whether what a transaction has queued runs now. A script in it has a client of its own, which is
/// in no transaction.
bool runs_queued_command(RedisModuleCtx* ctx) {
  return (redis::GetContextFlags(ctx) & (redis::kCtxMulti | redis::kCtxLua)) == redis::kCtxMulti;
}

/// Where the key is that a notification tells of. In a transaction, Valkey 9.1 answers
/// GetSelectedDb with the database that the client has selected; what it knows of the client is
/// right there, too.
int notified_db(RedisModuleCtx* ctx, int event_class) {
  if ((event_class & kElsewhere) != 0 && runs_queued_command(ctx)) {
    RedisModuleClientInfo client{};
    client.version = redis::kClientInfoVersion;
    if (redis::GetClientInfoById(&client, redis::GetClientId(ctx)) == redis::kOk) {
      return client.db;
    }
  }
  return redis::GetSelectedDb(ctx);
}

/// As far as that is known, or null.
const NamedChange* what_changed(RedisModuleCtx* ctx, std::string_view event, std::string_view key) {
  // A queued command is not seen again when it runs: what came last may be a script's, before it.
  NamedChange* named =
      runs_queued_command(ctx) ? queued_change(event, key) : take_named_change(event, key);
  if (named == nullptr) {
    return change_named_by(event);
  }
  named->ended = event == "hexpired";
  return named;
}

int on_notification(RedisModuleCtx* ctx, int event_class, const char* event,
                    RedisModuleString* key) {
  redis::event_guard("keyspace notification", [&] {
    if (g_listener != nullptr && !planted(Fault::kNoNotifications)) {
      g_listener->written(static_cast<std::uint32_t>(notified_db(ctx, event_class)),
                          redis::view(key), what_changed(ctx, event, redis::view(key)), event);
    }
  });
  return redis::kOk;
}

/// Where notifications move clients, not of what may be in another database than the client's.
int notifications_to_use() {
  return g_notifications_move_clients ? redis::kNotifyWrites & ~kElsewhere : redis::kNotifyWrites;
}

void subscribe_once() {
  static const bool once = [] {
    RedisModuleCtx* ctx = redis::module_context();
    redis::SubscribeToKeyspaceEvents(ctx, notifications_to_use() & ~kNotifyTrial, on_notification);
    if (g_notifications_move_clients) {
      subscribe_to_key_events(ctx);
    }
    return true;
  }();
  (void)once;
}

}  // namespace

void try_notifications(RedisModuleCtx* ctx) {
  static bool tried = false;
  if (std::exchange(tried, true)) {
    return;
  }
  const auto ignore = [](RedisModuleCtx*, int, const char*, RedisModuleString*) {
    return redis::kOk;
  };
  redis::SubscribeToKeyspaceEvents(ctx, kNotifyTrial, ignore);
  const int before = redis::GetSelectedDb(ctx);
  const redis::Context elsewhere = redis::make_context();
  if (redis::SelectDb(elsewhere.get(), before == 0 ? 1 : 0) != redis::kOk) {
    return;  // there is one
  }
  redis::NotifyKeyspaceEvent(elsewhere.get(), kNotifyTrial, "trial",
                             redis::make_string("rdmasync").get());
  g_notifications_move_clients = redis::GetSelectedDb(ctx) != before;
  if (!g_notifications_move_clients) {
    return;
  }
  redis::SelectDb(ctx, before);
  redis::log_warning(
      "rdmasync: in this server a module that listens to keyspace events makes MOVE and COPY leave "
      "the client's database; generic commands are watched by name instead. Releases of Valkey "
      "since July 2026 have no such fault");
}

void key_gone(RedisModuleCtx* ctx, RedisModuleKey* key) {
  if (g_listener != nullptr) {
    g_listener->written(static_cast<std::uint32_t>(redis::GetSelectedDb(ctx)),
                        redis::view(redis::GetKeyNameFromModuleKey(key)), nullptr, "key event");
  }
}

void start_watching(WriteListener& listener) {
  subscribe_once();
  g_listener = &listener;
  if (!planted(Fault::kNoFilter)) {
    start_command_watch(listener, g_notifications_move_clients);
  }
}

void stop_watching() {
  stop_command_watch();
  g_listener = nullptr;
}

}  // namespace rdmasync::master

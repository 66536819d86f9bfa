#include "module/replica/insert.h"

#include <algorithm>
#include <string>
#include <unordered_map>

#include "module/number.h"
#include "module/redis/context.h"
#include "module/redis/guard.h"
#include "module/redis/held_settings.h"
#include "module/redis/key_meta.h"
#include "module/redis/rdb.h"
#include "module/redis/server.h"

namespace rdmasync::replica {

namespace {

// Between two looks at the server's clients.
constexpr int kKeysPerYield = 4096;

bool g_remember = false;
std::unordered_map<std::string, std::uint64_t> g_addresses;

std::string remembered_name(std::uint32_t db, std::string_view key) {
  return std::to_string(db) + ":" + std::string(key);
}

/// As the server itself writes it: such a string is kept as a number.
bool is_integer(std::string_view value) {
  constexpr std::size_t kMostDigits = 20;
  if (value.empty() || value.size() > kMostDigits) {
    return false;
  }
  const auto number = to_number<std::int64_t>(value);
  return number && std::to_string(*number) == value;
}

/// Puts the staged keys of one database after another where they belong.
class Inserter {
 public:
  // A callback's own context has no client, and so no database.
  Inserter()
      : ctx_(redis::make_context()),
        // Whoever is served meanwhile must not see some of the keys without the others.
        may_yield_((redis::GetContextFlags(ctx_.get()) & redis::kCtxAsyncLoading) == 0) {}

  void select(std::uint32_t db) {
    db_ = db;
    redis::SelectDb(ctx_.get(), static_cast<int>(db));
  }

  void direct(std::string_view key, Landing& landing);
  void packed(const Incoming& incoming);
  void functions(std::string_view payload);

 private:
  void set(RedisModuleString* name, RedisModuleString* value, const log::KeyMeta& meta);
  void restore(const log::EntryHead& head, std::string_view payload);
  void inserted(RedisModuleString* name);

  redis::Context ctx_;
  bool may_yield_;
  std::uint32_t db_ = 0;
  int inserted_ = 0;
};

void Inserter::direct(std::string_view key, Landing& landing) {
  const redis::String name = redis::make_string(key);
  set(name.get(), landing.value.get(), landing.meta);
  if (g_remember) {
    g_addresses[remembered_name(db_, key)] =
        reinterpret_cast<std::uint64_t>(redis::view(landing.value.get()).data());
  }
  // The keyspace has it now; a second reference would make the first write to it copy it.
  landing.value.reset();
  inserted(name.get());
}

void Inserter::packed(const Incoming& incoming) {
  const auto head = log::entry_head(incoming.entry);
  const redis::String name = redis::make_string(head.key);
  if (incoming.is_payload) {
    restore(head, value_of(incoming, head));
  } else {
    redis::rdb::Reader rest(incoming.entry.substr(head.size));
    const std::uint64_t length = rest.length();
    const std::string_view value =
        incoming.landing ? std::string_view(incoming.landing->bytes) : rest.take(length);
    set(name.get(), redis::make_string(value).get(), head.meta);
  }
  inserted(name.get());
}

void Inserter::set(RedisModuleString* name, RedisModuleString* value, const log::KeyMeta& meta) {
  const bool as_number = is_integer(redis::view(value));
  if (as_number) {
    redis::set(ctx_.get(), redis::view(name), redis::view(value));
  }
  const redis::Key key{redis::OpenKey(ctx_.get(), name, redis::kKeyRead | redis::kKeyWrite)};
  if (!as_number) {
    redis::StringSet(key.get(), value);
  }
  redis::set_meta(key.get(), meta);
}

void Inserter::restore(const log::EntryHead& head, std::string_view payload) {
  const auto& meta = head.meta;
  const auto expire_at = std::to_string(std::max<std::int64_t>(meta.expire_at_ms, 0));
  const auto recency = std::to_string(meta.recency);
  const bool idle = meta.recency_kind == log_format::Recency::kIdle;
  if (meta.recency_kind == log_format::Recency::kNone) {
    redis::call(ctx_.get(), redis::kRestore, {head.key, expire_at, payload, "REPLACE", "ABSTTL"});
  } else {
    redis::call(
        ctx_.get(), redis::kRestore,
        {head.key, expire_at, payload, "REPLACE", "ABSTTL", idle ? "IDLETIME" : "FREQ", recency});
  }
}

void Inserter::functions(std::string_view payload) {
  if (!payload.empty()) {
    redis::call(ctx_.get(), redis::kFunction, {"RESTORE", payload, "FLUSH"});
  }
}

void Inserter::inserted(RedisModuleString* name) {
  redis::NotifyKeyspaceEvent(ctx_.get(), redis::kNotifyLoaded, "loaded", name);
  if (++inserted_ % kKeysPerYield == 0 && may_yield_) {
    redis::Yield(ctx_.get(), redis::kYieldClients, nullptr);
  }
}

/// Nobody is told of a key that is loaded, but other modules. Restores what was before.
class Silence {
 public:
  Silence() { settings_.hold(redis::module_context(), kHolder, {{"notify-keyspace-events", ""}}); }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;
  ~Silence() {
    redis::event_guard("notify-keyspace-events", [this] { settings_.release(kHolder); });
  }

 private:
  static constexpr redis::HeldSettings::Client kHolder = 1;  // no client: there is only one
  redis::HeldSettings settings_;
};

/// Whether the stub RDB has it.
bool in_stub(const Incoming& incoming) {
  return !incoming.is_value() && redis::rdb::is_known_type(type_of(incoming));
}

}  // namespace

void insert(Staging& staging, Insert which) {
  g_addresses.clear();
  const Silence silence;
  Inserter inserter;
  if (which == Insert::kAll) {
    inserter.functions(staging.functions());
  }
  for (const auto& [db, keys] : staging.databases()) {
    inserter.select(db);
    keys.for_each([&](std::string_view key, const Incoming& incoming) {
      if (which == Insert::kNotInStub && in_stub(incoming)) {
        return;
      }
      if (incoming.is_value()) {
        inserter.direct(key, *incoming.landing);
      } else {
        inserter.packed(incoming);
      }
    });
  }
}

std::uint64_t linked_address(std::uint32_t db, std::string_view key) {
  const auto found = g_addresses.find(remembered_name(db, key));
  return found == g_addresses.end() ? 0 : found->second;
}

void remember_linked_addresses(bool on) {
  g_remember = on;
}

}  // namespace rdmasync::replica

#include "module/replica/linker.h"

#include <algorithm>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "module/redis/context.h"
#include "module/redis/guard.h"
#include "module/redis/key_meta.h"
#include "module/redis/server.h"
#include "module/replica/stub_rdb.h"

namespace rdmasync::replica {

namespace {

// Between two looks at the server's clients.
constexpr int kKeysPerYield = 4096;

std::mutex g_mutex;
std::string g_token;
std::shared_ptr<Staging> g_staging;
bool g_linked = false;  // all of it

// Main thread.
bool g_loads_beside = false;
std::shared_ptr<Staging> g_deferred;  // to link when the load beside has ended

bool g_remember = false;
std::unordered_map<std::string, std::uint64_t> g_addresses;

std::shared_ptr<Staging> claim(std::string_view token) {
  const std::lock_guard lock(g_mutex);
  if (token.empty() || token != g_token) {
    return nullptr;
  }
  g_token.clear();
  return std::exchange(g_staging, nullptr);
}

std::string remembered_name(std::uint32_t db, std::string_view key) {
  return std::to_string(db) + ":" + std::string(key);
}

void link_value(RedisModuleCtx* ctx, std::string_view name, const Landing& landing) {
  const redis::String key_name = redis::make_string(name);
  const redis::Key key{redis::OpenKey(ctx, key_name.get(), redis::kKeyRead | redis::kKeyWrite)};
  redis::StringSet(key.get(), landing.value.get());
  redis::set_meta(key.get(), landing.meta);
}

/// Of the selected database.
void restore_payload(RedisModuleCtx* ctx, const Incoming& incoming) {
  const auto head = log::entry_head(incoming.entry);
  const std::string_view payload = incoming.landing ? std::string_view(incoming.landing->bytes)
                                                    : incoming.entry.substr(head.size);
  const auto& meta = head.meta;
  const auto expire_at = std::to_string(std::max<std::int64_t>(meta.expire_at_ms, 0));
  const auto recency = std::to_string(meta.recency);
  const bool idle = meta.recency_kind == log_format::Recency::kIdle;
  if (meta.recency_kind == log_format::Recency::kNone) {
    redis::call(ctx, redis::kRestore, {head.key, expire_at, payload, "REPLACE", "ABSTTL"});
  } else {
    redis::call(
        ctx, redis::kRestore,
        {head.key, expire_at, payload, "REPLACE", "ABSTTL", idle ? "IDLETIME" : "FREQ", recency});
  }
}

void link_all(Staging& staging) {
  g_addresses.clear();
  // The callback's own context has no client, and so no database.
  const redis::Context ctx = redis::make_context();
  // Whoever is served meanwhile must not see some of the values without the others.
  const bool served = (redis::GetContextFlags(ctx.get()) & redis::kCtxAsyncLoading) != 0;
  int linked = 0;
  for (const auto& [number, keys] : staging.databases()) {
    const std::uint32_t db = number;
    keys.for_each([&](std::string_view key, const Incoming& incoming) {
      if (!incoming.is_value() && !incoming.is_payload) {
        return;
      }
      redis::SelectDb(ctx.get(), static_cast<int>(db));
      if (incoming.is_payload) {
        return restore_payload(ctx.get(), incoming);
      }
      link_value(ctx.get(), key, *incoming.landing);
      if (g_remember) {
        g_addresses[remembered_name(db, key)] =
            reinterpret_cast<std::uint64_t>(redis::view(incoming.landing->value.get()).data());
      }
      // The keyspace has it now; a second reference would make the first write to it copy it.
      incoming.landing->value.reset();
      if (++linked % kKeysPerYield == 0 && !served) {
        redis::Yield(ctx.get(), redis::kYieldClients, nullptr);
      }
    });
  }
}

void link(Staging& staging) {
  link_all(staging);
  const std::lock_guard lock(g_mutex);
  g_linked = true;
}

int on_aux_load(RedisModuleIO* io, int, int) {
  std::size_t length = 0;
  const std::unique_ptr<char, void (*)(void*)> text{redis::LoadStringBuffer(io, &length),
                                                    [](void* memory) { redis::Free(memory); }};
  if (!text) {
    return redis::kErr;
  }
  auto staging = claim({text.get(), length});
  if (!staging) {
    redis::log_warning(
        "rdmasync: this RDB is the stub of a sync that is over and has no dataset of its own; it "
        "is not loaded. Restore from a backup, or sync again");
    return redis::kErr;
  }
  if (g_loads_beside) {
    g_deferred = std::move(staging);
    return redis::kOk;
  }
  int result = redis::kErr;
  redis::event_guard("linking values", [&] {
    link(*staging);
    result = redis::kOk;
  });
  return result;
}

}  // namespace

void register_linker(RedisModuleCtx* ctx) {
  RedisModuleTypeMethods methods{};
  methods.version = redis::kTypeMethodVersion;
  methods.aux_load = on_aux_load;
  methods.aux_save_triggers = redis::kAuxAfterRdb;
  // No key ever has this type, but the server insists on these.
  methods.rdb_load = [](RedisModuleIO*, int) -> void* { return nullptr; };
  methods.rdb_save = [](RedisModuleIO*, void*) {};
  methods.aof_rewrite = [](RedisModuleIO*, RedisModuleString*, void*) {};
  methods.free = [](void*) {};
  if (redis::CreateDataType(ctx, std::string(kTypeName).c_str(), kTypeEncoding, &methods) ==
      nullptr) {
    throw Error(Errc::kRefused, "another module has a data type called " + std::string(kTypeName));
  }
}

PendingLink::PendingLink(std::string token, std::shared_ptr<Staging> staging) {
  const std::lock_guard lock(g_mutex);
  g_token = std::move(token);
  g_staging = std::move(staging);
  g_linked = false;
}

PendingLink::~PendingLink() {
  const std::lock_guard lock(g_mutex);
  g_token.clear();
  g_staging.reset();
}

bool PendingLink::linked() const {
  const std::lock_guard lock(g_mutex);
  return g_linked;
}

void load_beside_began() {
  g_loads_beside = true;
}

void load_beside_ended(bool completed) {
  g_loads_beside = false;
  const auto staging = std::exchange(g_deferred, nullptr);
  if (staging && completed) {
    link(*staging);
  }
}

bool loads_beside() {
  return g_loads_beside;
}

std::uint64_t linked_address(std::uint32_t db, std::string_view key) {
  const auto found = g_addresses.find(remembered_name(db, key));
  return found == g_addresses.end() ? 0 : found->second;
}

void remember_linked_addresses(bool on) {
  g_remember = on;
}

}  // namespace rdmasync::replica

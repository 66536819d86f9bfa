#include "module/replica/stub_load.h"

#include <mutex>
#include <utility>

#include "module/protocol/psync.h"
#include "module/redis/guard.h"
#include "module/redis/owned.h"

namespace rdmasync::replica {

namespace {

/// What a stub RDB stands for.
struct Content {
  std::shared_ptr<Staging> staging;
  Insert which = Insert::kAll;
};

std::mutex g_mutex;
std::string g_token;
Content g_pending;
bool g_inserted = false;  // all of it

// Main thread.
bool g_loads_beside = false;
Content g_deferred;  // to insert when the load beside has ended

Content claim(std::string_view token) {
  const std::lock_guard lock(g_mutex);
  if (token.empty() || token != g_token) {
    return {};
  }
  g_token.clear();
  return std::exchange(g_pending, {});
}

void insert(const Content& content) {
  insert(*content.staging, content.which);
  const std::lock_guard lock(g_mutex);
  g_inserted = true;
}

int on_aux_load(RedisModuleIO* io, int, int) {
  std::size_t length = 0;
  const std::unique_ptr<char, void (*)(void*)> text{redis::LoadStringBuffer(io, &length),
                                                    [](void* memory) { redis::Free(memory); }};
  if (!text) {
    return redis::kErr;
  }
  Content content = claim({text.get(), length});
  if (!content.staging) {
    redis::log_warning(
        "rdmasync: this RDB is the stub of a sync that is over and has no dataset of its own; it "
        "is not loaded. Restore from a backup, or sync again");
    return redis::kErr;
  }
  if (g_loads_beside) {
    g_deferred = std::move(content);
    return redis::kOk;
  }
  int result = redis::kErr;
  redis::event_guard("inserting the copy", [&] {
    insert(content);
    result = redis::kOk;
  });
  return result;
}

}  // namespace

void register_stub_type(RedisModuleCtx* ctx) {
  RedisModuleTypeMethods methods{};
  methods.version = redis::kTypeMethodVersion;
  methods.aux_load = on_aux_load;
  methods.aux_save_triggers = redis::kAuxAfterRdb;
  // No key ever has this type, but the server insists on these.
  methods.rdb_load = [](RedisModuleIO*, int) -> void* { return nullptr; };
  methods.rdb_save = [](RedisModuleIO*, void*) {};
  methods.aof_rewrite = [](RedisModuleIO*, RedisModuleString*, void*) {};
  methods.free = [](void*) {};
  const std::string name(protocol::kTypeName);
  if (redis::CreateDataType(ctx, name.c_str(), protocol::kTypeEncoding, &methods) == nullptr) {
    throw Error(Errc::kRefused, "another module has a data type called " + name);
  }
}

PendingLoad::PendingLoad(std::string token, std::shared_ptr<Staging> staging, Insert which) {
  const std::lock_guard lock(g_mutex);
  g_token = std::move(token);
  g_pending = {std::move(staging), which};
  g_inserted = false;
}

PendingLoad::~PendingLoad() {
  const std::lock_guard lock(g_mutex);
  g_token.clear();
  g_pending = {};
}

bool PendingLoad::inserted() const {
  const std::lock_guard lock(g_mutex);
  return g_inserted;
}

void load_beside_began() {
  g_loads_beside = true;
}

void load_beside_ended(bool completed) {
  g_loads_beside = false;
  const Content content = std::exchange(g_deferred, {});
  if (content.staging && completed) {
    insert(content);
  }
}

bool loads_beside() {
  return g_loads_beside;
}

}  // namespace rdmasync::replica

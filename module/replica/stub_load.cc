#include "module/replica/stub_load.h"

#include <atomic>
#include <mutex>
#include <utility>

#include "module/protocol/psync.h"
#include "module/redis/context.h"
#include "module/redis/guard.h"
#include "module/redis/main_thread.h"
#include "module/redis/owned.h"
#include "module/redis/server.h"
#include "module/replica/dataset_gap.h"

namespace rdmasync::replica {

/// What a stub RDB stands for.
struct PendingLoad::Content {
  Content(std::string session, Insert all, InsertPart some)
      : token(std::move(session)), insert(std::move(all)), part(std::move(some)) {}

  std::string token;
  Insert insert;
  InsertPart part;
  std::atomic<bool> inserted = false;  ///< all of it
  std::atomic<bool> refused = false;
};

namespace {

using Content = PendingLoad::Content;

std::mutex g_mutex;
std::shared_ptr<Content> g_pending;

// Main thread.
bool g_loads_beside = false;
std::shared_ptr<Content> g_deferred;  // to insert when the load beside has ended
std::shared_ptr<Content> g_in_parts;  // to insert from then on

/// Only once.
std::shared_ptr<Content> claim(std::string_view token) {
  const std::lock_guard lock(g_mutex);
  if (!g_pending || g_pending->token != token) {
    return {};
  }
  return std::exchange(g_pending, {});
}

void insert_all(Content& content) {
  content.insert();
  content.inserted = true;
}

/// Main thread.
void end_parts() {
  g_in_parts.reset();
  DatasetGap::end();
}

RedisModuleBlockedClient* block(RedisModuleCtx* ctx) {
  const auto nothing_to_reply = [](RedisModuleCtx*, RedisModuleString**, int) {
    return redis::kOk;
  };
  return redis::BlockClient(ctx, nothing_to_reply, nullptr, nullptr, 0);
}

/// What a master says is counted when it is done, and its link can be continued from there: neither
/// is so of one that ends while it is blocked.
void end_link(RedisModuleCtx* ctx) {
  redis::post_to_main([blocked = block(ctx)] {
    redis::event_guard("ending the link", redis::renew_link);
    redis::UnblockClient(blocked, nullptr);
  });
}

int on_aux_load(RedisModuleIO* io, int, int) {
  std::size_t length = 0;
  const std::unique_ptr<char, void (*)(void*)> text{redis::LoadStringBuffer(io, &length),
                                                    [](void* memory) { redis::Free(memory); }};
  if (!text) {
    return redis::kErr;
  }
  auto content = claim({text.get(), length});
  if (!content) {
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
    insert_all(*content);
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

PendingLoad::PendingLoad(std::shared_ptr<Content> content) : content_(std::move(content)) {
  const std::lock_guard lock(g_mutex);
  g_pending = content_;
}

PendingLoad::PendingLoad(std::string token, Insert insert)
    : PendingLoad(std::make_shared<Content>(std::move(token), std::move(insert), InsertPart{})) {}

PendingLoad::PendingLoad(std::string token, InsertPart part)
    : PendingLoad(std::make_shared<Content>(std::move(token), Insert{}, std::move(part))) {}

PendingLoad::~PendingLoad() {
  {
    const std::lock_guard lock(g_mutex);
    if (g_pending == content_) {
      g_pending.reset();
    }
  }
  redis::post_to_main([content = std::move(content_)] {
    if (g_in_parts == content) {
      end_parts();
    }
    content->part = {};
  });
}

bool PendingLoad::inserted() const {
  return content_->inserted;
}

bool PendingLoad::refused() const {
  return content_->refused;
}

void load_beside_began() {
  g_loads_beside = true;
}

void load_beside_ended(bool completed) {
  g_loads_beside = false;
  const auto content = std::exchange(g_deferred, {});
  if (!content || !completed) {
    return;
  }
  if (content->part) {
    g_in_parts = content;
    DatasetGap::begin();
  } else {
    insert_all(*content);
  }
}

void insert_part(RedisModuleCtx* ctx) {
  if ((redis::GetContextFlags(ctx) & redis::kCtxReplicated) == 0) {
    throw Error(Errc::kUsage, "RDMASYNC.INSERT is what a master's module says to its replica");
  }
  if (!g_in_parts) {
    return end_link(ctx);  // of a sync that is over
  }
  bool taken = false;
  bool last = false;
  redis::event_guard("inserting the copy", [&] {
    last = g_in_parts->part(ctx);
    taken = true;
  });
  g_in_parts->inserted = taken && last;
  g_in_parts->refused = !taken;
  if (!taken || last) {
    end_parts();
  }
  if (!taken) {
    end_link(ctx);
  } else if (!last) {
    // The rest of what the master has sent comes in the next turn of the event loop.
    redis::UnblockClient(block(ctx), nullptr);
  }
}

}  // namespace rdmasync::replica

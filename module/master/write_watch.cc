#include "module/master/write_watch.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "module/fault.h"
#include "module/redis/context.h"
#include "module/redis/guard.h"
#include "rdmasync/log_format.h"

namespace rdmasync::master {

namespace {

WriteListener* g_listener = nullptr;
RedisModuleCommandFilter* g_filter = nullptr;

/// The server's own commands that change a key and notify nobody.
constexpr std::array<std::string_view, 6> kSilentCommands = {"xack",       "xreadgroup", "xclaim",
                                                             "xautoclaim", "pfcount",    "pfdebug"};

bool has_flag(RedisModuleCallReply* flags, std::string_view flag) {
  for (std::size_t i = 0; i < redis::CallReplyLength(flags); ++i) {
    if (redis::view(redis::CallReplyArrayElement(flags, i)) == flag) return true;
  }
  return false;
}

/// Other modules need not notify of what their commands write.
bool is_writing_module_command(const std::string& name) {
  const redis::Reply reply{
      redis::Call(redis::module_context(), "COMMAND", "cb", "INFO", name.data(), name.size())};
  if (!reply || redis::CallReplyType(reply.get()) != redis::kReplyArray) return false;
  RedisModuleCallReply* info = redis::CallReplyArrayElement(reply.get(), 0);
  if (info == nullptr || redis::CallReplyType(info) != redis::kReplyArray) return false;
  RedisModuleCallReply* flags = redis::CallReplyArrayElement(info, 2);
  return has_flag(flags, "module") && !has_flag(flags, "readonly");
}

/// Whether a command may write without a notification. Each name is resolved once.
class SilentCommands {
 public:
  bool contains(std::string_view name) {
    lower_.assign(name);
    std::transform(lower_.begin(), lower_.end(), lower_.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const auto known = known_.find(lower_);
    if (known != known_.end()) return known->second;
    if (known_.size() >= kMaxNames) known_.clear();  // a client sends nonsense names
    const bool silent = std::find(kSilentCommands.begin(), kSilentCommands.end(), lower_) !=
                            kSilentCommands.end() ||
                        is_writing_module_command(lower_);
    known_.emplace(lower_, silent);
    return silent;
  }
  void forget() { known_.clear(); }

 private:
  static constexpr std::size_t kMaxNames = 4096;
  std::unordered_map<std::string, bool> known_;
  std::string lower_;
};

SilentCommands g_silent_commands;

void on_command(RedisModuleCommandFilterCtx* filter) {
  redis::event_guard("command filter", [filter] {
    if (!g_silent_commands.contains(redis::view(redis::CommandFilterArgGet(filter, 0)))) return;
    std::vector<RedisModuleString*> argv(
        static_cast<std::size_t>(redis::CommandFilterArgsCount(filter)));
    for (std::size_t i = 0; i < argv.size(); ++i) {
      argv[i] = redis::CommandFilterArgGet(filter, static_cast<int>(i));
    }
    int count = 0;
    const std::unique_ptr<int, void (*)(void*)> keys{
        redis::GetCommandKeys(redis::module_context(), argv.data(), static_cast<int>(argv.size()),
                              &count),
        [](void* memory) { redis::Free(memory); }};
    for (int i = 0; keys != nullptr && i < count; ++i) {
      g_listener->written_silently(redis::view(argv.at(static_cast<std::size_t>(keys.get()[i]))));
    }
  });
}

int on_notification(RedisModuleCtx* ctx, int, const char*, RedisModuleString* key) {
  redis::event_guard("keyspace notification", [&] {
    if (g_listener != nullptr && !planted(Fault::kNoNotifications)) {
      g_listener->written(static_cast<std::uint32_t>(redis::GetSelectedDb(ctx)), redis::view(key));
    }
  });
  return redis::kOk;
}

void on_flush(RedisModuleCtx*, RedisModuleEvent, std::uint64_t subevent, void* data) {
  redis::event_guard("flush event", [&] {
    if (g_listener == nullptr || subevent != redis::kFlushEnd) return;
    const auto db = static_cast<const RedisModuleFlushInfo*>(data)->dbnum;
    g_listener->flushed(db < 0 ? log_format::kAllDatabases : static_cast<std::uint32_t>(db));
  });
}

void on_swap(RedisModuleCtx*, RedisModuleEvent, std::uint64_t, void* data) {
  redis::event_guard("swapdb event", [&] {
    if (g_listener == nullptr) return;
    const auto* swap = static_cast<const RedisModuleSwapDbInfo*>(data);
    g_listener->swapped(static_cast<std::uint32_t>(swap->dbnum_first),
                        static_cast<std::uint32_t>(swap->dbnum_second));
  });
}

void on_loading(RedisModuleCtx*, RedisModuleEvent, std::uint64_t subevent, void*) {
  redis::event_guard("loading event", [&] {
    if (g_listener == nullptr || subevent > redis::kLoadingReplicationStart) return;
    g_listener->dataset_gone("the master loads another dataset");
  });
}

void on_role(RedisModuleCtx*, RedisModuleEvent, std::uint64_t subevent, void*) {
  redis::event_guard("role event", [&] {
    if (g_listener == nullptr || subevent != redis::kNowReplica) return;
    g_listener->dataset_gone("the master has become a replica");
  });
}

void subscribe_once() {
  static const bool once = [] {
    RedisModuleCtx* ctx = redis::module_context();
    redis::SubscribeToKeyspaceEvents(ctx, redis::kNotifyWrites, on_notification);
    redis::SubscribeToServerEvent(ctx, redis::kEventFlushDb, on_flush);
    redis::SubscribeToServerEvent(ctx, redis::kEventSwapDb, on_swap);
    redis::SubscribeToServerEvent(ctx, redis::kEventLoading, on_loading);
    redis::SubscribeToServerEvent(ctx, redis::kEventRoleChanged, on_role);
    return true;
  }();
  (void)once;
}

}  // namespace

void start_watching(WriteListener& listener) {
  subscribe_once();
  g_silent_commands.forget();
  g_listener = &listener;
  if (g_filter == nullptr && !planted(Fault::kNoFilter)) {
    g_filter =
        redis::RegisterCommandFilter(redis::module_context(), on_command, redis::kFilterNoSelf);
  }
}

void stop_watching() {
  if (g_filter != nullptr) redis::UnregisterCommandFilter(redis::module_context(), g_filter);
  g_filter = nullptr;
  g_listener = nullptr;
}

}  // namespace rdmasync::master

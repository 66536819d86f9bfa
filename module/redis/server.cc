#include "module/redis/server.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include "module/redis/context.h"
#include "module/redis/main_thread.h"
#include "rdmasync/error.h"
#include "rdmasync/number.h"

namespace rdmasync::redis {

namespace {

/// Runs it, with what Call() wants after the command's name.
template <typename... Args>
Reply checked_call(RedisModuleCtx* ctx, const CalledCommand& command, Args... args) {
  check_main_thread();
  errno = 0;
  Reply reply{Call(ctx, command.name, args...)};
  const int why = errno;
  if (!reply) {
    throw Error(Errc::kRefused, std::string("this server does not run ") + command.name);
  }
  if (CallReplyType(reply.get()) == kReplyError) {
    // EPERM is how RedisModule_Call tells of keys of other slots.
    if (why == EPERM && !command.names_keys) {
      throw Error(Errc::kRefused,
                  "this server refuses calls of modules, since a script has named keys of several "
                  "slots: a fault of Valkey 9.1, until it is restarted");
    }
    throw Error(Errc::kRefused, std::string(command.name) + ": " + std::string(view(reply.get())));
  }
  return reply;
}

/// Of a list of names and values; empty if it has none of that name.
std::string_view field_of(RedisModuleCallReply* fields, std::string_view name) {
  for (std::size_t at = 0; at + 1 < CallReplyLength(fields); at += 2) {
    if (view(CallReplyArrayElement(fields, at)) == name) {
      return view(CallReplyArrayElement(fields, at + 1));
    }
  }
  return {};
}

}  // namespace

Reply call(RedisModuleCtx* ctx, const CalledCommand& command,
           std::span<RedisModuleString* const> args) {
  // 'E': errors come as replies, with their text.
  return checked_call(ctx, command, "vE", args.data(), args.size());
}

void set(RedisModuleCtx* ctx, std::string_view name, std::string_view value) {
  checked_call(ctx, kSet, "bbE", name.data(), name.size(), value.data(), value.size());
}

Reply call(RedisModuleCtx* ctx, const CalledCommand& command,
           std::initializer_list<std::string_view> args) {
  return call(ctx, command, std::span(args.begin(), args.size()));
}

Reply call(RedisModuleCtx* ctx, const CalledCommand& command,
           std::span<const std::string_view> args) {
  std::vector<String> owned;
  std::vector<RedisModuleString*> argv;
  for (const std::string_view arg : args) {
    argv.push_back(owned.emplace_back(make_string(arg)).get());
  }
  return call(ctx, command, std::span<RedisModuleString* const>(argv));
}

namespace {

bool has_unfinished_migration() {
  constexpr std::array<std::string_view, 3> kFinished = {"success", "failed", "cancelled"};
  const Reply jobs = call(module_context(), kCluster, {"GETSLOTMIGRATIONS"});
  for (std::size_t i = 0; i < CallReplyLength(jobs.get()); ++i) {
    const std::string_view state = field_of(CallReplyArrayElement(jobs.get(), i), "state");
    if (std::find(kFinished.begin(), kFinished.end(), state) == kFinished.end()) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::string config_get(RedisModuleCtx* ctx, std::string_view name) {
  const Reply reply = call(ctx, kConfig, {"GET", name});
  if (CallReplyLength(reply.get()) < 2) {
    return {};
  }
  return std::string(view(CallReplyArrayElement(reply.get(), 1)));
}

void config_set(RedisModuleCtx* ctx, std::string_view name, std::string_view value) {
  call(ctx, kConfig, {"SET", name, value});
}

Info::Info(const char* section) {
  check_main_thread();
  data_.reset(GetServerInfo(nullptr, section));
}

std::string Info::text(const char* field) const {
  const char* value = ServerInfoGetFieldC(data_.get(), field);
  return value == nullptr ? std::string{} : std::string(value);
}

std::int64_t Info::number(const char* field) const {
  return to_number<std::int64_t>(text(field)).value_or(0);
}

bool is_replica() {
  return (GetContextFlags(module_context()) & kCtxSlave) != 0;
}

void renew_link() {
  call(module_context(), kClient, {"KILL", "TYPE", "master"});
}

bool has_backlog() {
  return Info("replication").number("repl_backlog_active") != 0;
}

bool in_cluster() {
  return (GetContextFlags(module_context()) & kCtxCluster) != 0;
}

bool has_migrateslots() {
  constexpr int kSince = 9;
  const Info server("server");
  const std::string version = server.text("valkey_version");
  return to_number<int>(version.substr(0, version.find('.'))).value_or(0) >= kSince;
}

ClusterState cluster_state() {
  const Reply reply = call(module_context(), kCluster, {"INFO"});
  const std::string_view info = view(reply.get());
  const auto is_not_0 = [info](std::string_view field) {
    const auto at = info.find(field);
    return at != std::string_view::npos && !info.substr(at + field.size()).starts_with(":0\r");
  };
  // The two fields are of Redis, since 8.4.
  return {.is_up = info.find("cluster_state:ok") != std::string_view::npos,
          .slots_migrate = is_not_0("cluster_slot_migration_active_tasks") ||
                           is_not_0("cluster_slot_migration_active_trim_running") ||
                           (has_migrateslots() && has_unfinished_migration())};
}

std::uint32_t databases() {
  const Context ctx = make_context();
  int count = 0;
  while (SelectDb(ctx.get(), count) == kOk) {
    ++count;
  }
  return static_cast<std::uint32_t>(count);
}

std::map<std::uint32_t, std::uint64_t> keys_by_database() {
  const Context ctx = make_context();
  std::map<std::uint32_t, std::uint64_t> keys;
  for (int db = 0; SelectDb(ctx.get(), db) == kOk; ++db) {
    if (const auto count = DbSize(ctx.get()); count > 0) {
      keys[static_cast<std::uint32_t>(db)] = count;
    }
  }
  return keys;
}

std::string server_name_and_version() {
  const Info server("server");
  return server.text("server_name") == "valkey" ? "Valkey " + server.text("valkey_version")
                                                : "Redis " + server.text("redis_version");
}

int rdb_version(RedisModuleCtx* ctx) {
  const Reply reply = call(ctx, kFunction, {"DUMP"});
  const std::string_view dump = view(reply.get());
  if (dump.size() < kDumpFooter) {
    throw Error(Errc::kProtocol, "FUNCTION DUMP gave no RDB version");
  }
  const auto byte = [&](std::size_t i) {
    return static_cast<unsigned char>(dump[dump.size() - kDumpFooter + i]);
  };
  return byte(0) | byte(1) << 8;
}

std::string module_names(RedisModuleCtx* ctx) {
  const Reply list = call(ctx, kModule, {"LIST"});
  std::string names;
  for (std::size_t i = 0; i < CallReplyLength(list.get()); ++i) {
    names.append(names.empty() ? "" : " ");
    names.append(field_of(CallReplyArrayElement(list.get(), i), "name"));
  }
  return names;
}

std::string module_that_needs_files() {
  // Its lines all have the same field, so that the API finds but one of them.
  const Reply reply = call(module_context(), kInfo, {"MODULES"});
  std::string_view text = view(reply.get());
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    constexpr std::string_view kName = "module:name=";
    constexpr std::string_view kWithoutTypes = "lua";  // part of Valkey
    if (!line.starts_with(kName)) {
      continue;
    }
    const std::string_view name = line.substr(kName.size(), line.find(',') - kName.size());
    const auto declares = [line](std::string_view what) {
      return line.find(what) != std::string_view::npos;
    };
    // Servers ask the first of modules with data types only, which INFO does not tell.
    const bool handles_errors = declares("handle-io-errors") || name == kWithoutTypes;
    if (!handles_errors || !declares("handle-repl-async-load")) {
      return std::string(name);
    }
  }
  return {};
}

std::string dump_functions(RedisModuleCtx* ctx) {
  const Reply reply = call(ctx, kFunction, {"DUMP"});
  return std::string(view(reply.get()));
}

}  // namespace rdmasync::redis

#include "module/commands.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "module/config.h"
#include "module/fields.h"
#include "module/master/requests.h"
#include "module/redis/guard.h"
#include "module/redis/held_settings.h"
#include "module/redis/main_thread.h"
#include "module/redis/owned.h"
#include "module/replica/inserter.h"
#include "module/replica/stub_load.h"

namespace rdmasync {

namespace {

bool is_replica(RedisModuleCtx* ctx) {
  return (redis::GetContextFlags(ctx) & redis::kCtxSlave) != 0;
}

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return result;
}

int slaveof(RedisModuleCtx* ctx, RedisModuleString** argv, int argc) {
  if (argc != 3) {
    return redis::WrongArity(ctx);
  }
  return redis::reply_guard(ctx, [&] {
    halves().replica.slaveof(ctx, std::string(redis::view(argv[1])),
                             std::string(redis::view(argv[2])));
  });
}

int status(RedisModuleCtx* ctx, RedisModuleString**, int argc) {
  if (argc != 1) {
    return redis::WrongArity(ctx);
  }
  return redis::reply_guard(ctx, [&] {
    reply_with(ctx, status_fields(halves().exports, halves().replica, is_replica(ctx)));
  });
}

int table(RedisModuleCtx* ctx, RedisModuleString** argv, int argc) {
  if (argc != 1 && argc != 3) {
    return redis::WrongArity(ctx);
  }
  return redis::reply_guard(ctx, [&] {
    long long limit = 100;
    if (argc == 3 && (upper(redis::view(argv[1])) != "COUNT" ||
                      redis::StringToLongLong(argv[2], &limit) != redis::kOk || limit < 1)) {
      throw Error(Errc::kUsage, "syntax: RDMASYNC.TABLE [COUNT rows]");
    }
    halves().exports.reply_with_table(ctx, limit);
  });
}

int export_command(RedisModuleCtx* ctx, RedisModuleString** argv, int argc) {
  if (argc < 2) {
    return redis::WrongArity(ctx);
  }
  return redis::reply_guard(ctx, [&] {
    std::vector<std::string_view> words;
    for (int i = 1; i < argc; ++i) {
      words.push_back(redis::view(argv[i]));
    }
    master::run_request(ctx, halves().exports, words);
  });
}

/// CONFIG REWRITE, while some settings are not what the operator has set.
int rewrite(RedisModuleCtx* ctx, RedisModuleString**, int argc) {
  if (argc != 1) {
    return redis::WrongArity(ctx);
  }
  return redis::reply_guard(ctx, [&] {
    redis::HeldSettings::rewrite_config(ctx);
    redis::ReplyWithSimpleString(ctx, "OK");
  });
}

int insert(RedisModuleCtx* ctx, RedisModuleString**, int argc) {
  if (argc != 1) {
    return redis::WrongArity(ctx);
  }
  return redis::reply_guard(ctx, [&] { replica::insert_part(ctx); });
}

std::optional<replica::State> state_named(std::string_view name) {
  for (std::size_t i = 0; i < replica::kStates; ++i) {
    if (name_of(static_cast<replica::State>(i)) == name) {
      return static_cast<replica::State>(i);
    }
  }
  return std::nullopt;
}

std::uint64_t address_of_value(RedisModuleCtx* ctx, RedisModuleString* name) {
  const redis::Key key{redis::OpenKey(ctx, name, redis::kKeyRead | redis::kKeyNoTouch)};
  constexpr std::size_t kSurelyRaw = 128;
  if (!key || redis::KeyType(key.get()) != redis::kTypeString ||
      redis::ValueLength(key.get()) < kSurelyRaw) {
    throw Error(Errc::kUsage, "no such string, or a short one");
  }
  std::size_t length = 0;
  return reinterpret_cast<std::uint64_t>(redis::StringDMA(key.get(), &length, redis::kKeyRead));
}

int debug(RedisModuleCtx* ctx, RedisModuleString** argv, int argc) {
  if (argc != 3) {
    return redis::WrongArity(ctx);
  }
  return redis::reply_guard(ctx, [&] {
    if (!config().debug) {
      throw Error(Errc::kUsage, "RDMASYNC.DEBUG is for tests: it needs rdmasync.debug yes");
    }
    const std::string what = upper(redis::view(argv[1]));
    if (what == "POINTER") {
      redis::ReplyWithLongLong(ctx, static_cast<long long>(address_of_value(ctx, argv[2])));
    } else if (what == "LINKED") {
      const auto db = static_cast<std::uint32_t>(redis::GetSelectedDb(ctx));
      const auto address = replica::linked_address(db, redis::view(argv[2]));
      if (address == 0) {
        redis::ReplyWithNull(ctx);
      } else {
        redis::ReplyWithLongLong(ctx, static_cast<long long>(address));
      }
    } else if (what == "PAUSE-AT") {
      const auto state = state_named(redis::view(argv[2]));
      if (!state && redis::view(argv[2]) != "none") {
        throw Error(Errc::kUsage, "no such state");
      }
      halves().replica.debug_hold().set(state);
      redis::ReplyWithSimpleString(ctx, "OK");
    } else {
      throw Error(Errc::kUsage, "unknown subcommand");
    }
  });
}

struct Command {
  const char* name;
  RedisModuleCmdFunc run;
  const char* flags;
  int arity;
  const char* summary;
  const char* complexity;
};

constexpr std::array<Command, 8> kCommands = {{
    {"rdmasync.slaveof", slaveof, "admin deny-script allow-stale", 3,
     "Makes this server a replica of a master by one-sided reads, in the background; NO ONE stops "
     "that, or makes a replica a master.",
     "O(1)"},
    {"rdmasync.replicaof", slaveof, "admin deny-script allow-stale", 3,
     "The same as RDMASYNC.SLAVEOF.", "O(1)"},
    {"rdmasync.status", status, "readonly fast allow-stale allow-loading", 1,
     "What this server's sync and its exports are doing, as INFO rdmasync shows it.", "O(1)"},
    {"rdmasync.table", table, "readonly admin", -1,
     "The live mapping table of this master: key, database, kind, address, length, rkey.",
     "O(N) with N the number of rows"},
    // It may replicate: a cut writes to the stream, which nobody may while CLIENT PAUSE holds
    // writes. The server would stop.
    {"rdmasync.export", export_command, "admin deny-script allow-stale may-replicate", -2,
     "What replicas say to this master during a sync; not for people.",
     "ATTACH, ACK: O(1). CUT: O(N) with N the number of keys written since the last round."},
    {"rdmasync.insert", insert, "admin deny-script allow-stale", 1,
     "What a master's module says to its replica at the end of a sync; not for people.",
     "O(N) with N the number of keys of a part."},
    {"rdmasync.rewrite", rewrite, "admin deny-script allow-stale allow-loading", 1,
     "What CONFIG REWRITE becomes during a sync, so that nothing is written down that is set for "
     "the moment only.",
     "O(1)"},
    {"rdmasync.debug", debug, "admin deny-script allow-loading", 3,
     "Looks inside for tests; needs rdmasync.debug yes.", "O(1)"},
}};

void document(RedisModuleCtx* ctx, const Command& command) {
  static const RedisModuleCommandInfoVersion version{1, 2 * sizeof(const char*), 0,
                                                     sizeof(RedisModuleCommandArg)};
  RedisModuleCommandInfo info{};
  info.version = &version;
  info.summary = command.summary;
  info.complexity = command.complexity;
  info.since = "0.1.0";
  info.arity = command.arity;
  redis::SetCommandInfo(redis::GetCommand(ctx, command.name), &info);
}

}  // namespace

Halves& halves() {
  redis::check_main_thread();
  static auto* const all = new Halves;
  return *all;
}

bool register_commands(RedisModuleCtx* ctx) {
  for (const Command& command : kCommands) {
    if (redis::CreateCommand(ctx, command.name, command.run, command.flags, 0, 0, 0) !=
        redis::kOk) {
      redis::log_warning(std::string("rdmasync: the command ") + command.name + " exists already");
      return false;
    }
    document(ctx, command);
  }
  return true;
}

}  // namespace rdmasync

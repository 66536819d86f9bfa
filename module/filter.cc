#include "module/filter.h"

#include <strings.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "module/commands.h"
#include "module/master/command_watch.h"
#include "module/protocol/requests.h"
#include "module/redis/command_filter.h"
#include "module/redis/context.h"
#include "module/redis/guard.h"
#include "module/redis/held_settings.h"
#include "module/redis/owned.h"
#include "module/replica/dataset_gap.h"

namespace rdmasync {

namespace {

using Filtered = RedisModuleCommandFilterCtx;

std::string_view argument(Filtered* command, int i) {
  return redis::view(redis::CommandFilterArgGet(command, i));
}

bool same_word(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

void on_psync(Filtered* command) {
  redis::event_guard("a PSYNC", [command] {
    halves().replica.filter_psync(command);
    halves().exports.psyncs().filter(command);
  });
}

void on_sync(Filtered* command) {
  redis::event_guard("a SYNC", [command] { halves().exports.psyncs().filter_sync(command); });
}

void on_replconf(Filtered* command) {
  redis::event_guard("a REPLCONF", [command] { halves().exports.psyncs().see_replconf(command); });
}

/// What is set for the moment is not to be written down.
void on_config(Filtered* command) {
  if (redis::CommandFilterArgsCount(command) == 2 && same_word(argument(command, 1), "rewrite") &&
      redis::HeldSettings::any()) {
    redis::CommandFilterArgDelete(command, 1);
    redis::CommandFilterArgReplace(command, 0, redis::make_string("rdmasync.rewrite").release());
  }
}

/// What the server runs also while it loads, and clients may say at any time.
bool needs_no_dataset(std::string_view name) {
  constexpr std::string_view kOurs = "rdmasync.";
  constexpr auto kNames = std::to_array<std::string_view>(
      {"auth", "client", "command", "config", "discard", "hello", "info", "monitor", "multi",
       "quit", "replconf", "reset", "select", "shutdown", "unwatch", "watch"});
  return same_word(name.substr(0, kOurs.size()), kOurs) ||
         std::any_of(kNames.begin(), kNames.end(),
                     [&](std::string_view one) { return same_word(name, one); });
}

/// This server has nothing any more, and what it is to have is on its way.
void refuse_without_dataset(Filtered* command) {
  redis::event_guard("a command meanwhile", [command] {
    const std::string_view name = argument(command, 0);
    if (needs_no_dataset(name)) {
      return;
    }
    if (same_word(name, "exec")) {
      // Also its transaction is given up: the server takes no arguments with it.
      redis::CommandFilterArgInsert(command, 1, redis::make_string("loading").release());
    } else {
      redis::become(command, protocol::request::Loading::kName);
    }
  });
}

/// Every command of every client comes here first; the length of its name tells most of them apart.
void on_command(Filtered* command) {
  if (replica::DatasetGap::now()) {
    refuse_without_dataset(command);
  }
  const std::string_view name = argument(command, 0);
  constexpr std::string_view kPsync = "psync";
  constexpr std::string_view kSync = "sync";
  constexpr std::string_view kConfig = "config";
  constexpr std::string_view kReplconf = "replconf";
  if (name.size() == kPsync.size() && same_word(name, kPsync)) {
    on_psync(command);
  } else if (name.size() == kSync.size() && same_word(name, kSync)) {
    on_sync(command);
  } else if (name.size() == kConfig.size() && same_word(name, kConfig)) {
    on_config(command);
  } else if (name.size() == kReplconf.size() && same_word(name, kReplconf)) {
    on_replconf(command);
  }
  if (master::watches_commands()) {
    redis::event_guard("command filter", [command] {
      master::watch_command(command);
      halves().exports.before_command();
    });
  }
}

}  // namespace

void register_filter() {
  redis::RegisterCommandFilter(redis::module_context(), on_command, redis::kFilterNoSelf);
}

}  // namespace rdmasync

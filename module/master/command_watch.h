#pragma once

#include <string_view>

#include "module/master/named_change.h"
#include "module/master/write_watch.h"

namespace rdmasync::master {

/// Watches commands before they run: those whose writes notifications do not tell of. A command is
/// left to notifications only if this build has measured that it notifies (known_commands.h); of
/// every other one that may write the keys are told. `generic_unseen`: notifications of the generic
/// class are not to be had on this server.
///
/// A command is seen when it comes, or when a transaction queues it, also from scripts; not
/// again when it runs later. Main thread only.
void start_command_watch(WriteListener& listener, bool generic_unseen);
void stop_command_watch();

/// From the command filter: whether there is a watch, and what it sees.
bool watches_commands();
void watch_command(RedisModuleCommandFilterCtx* command);

/// What the command that came last has named of this key, if that is what the server tells of now;
/// or null. Only once for each of its events: what else is told of then was not that command. Good
/// until the next command comes.
NamedChange* take_named_change(std::string_view event, std::string_view key);

/// The same for commands that a transaction has queued, which runs: all that they have named of
/// this key (queued_changes.h).
NamedChange* queued_change(std::string_view event, std::string_view key);

}  // namespace rdmasync::master

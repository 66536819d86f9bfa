#pragma once

#include <string_view>

namespace rdmasync::master {

/// How a command tells of the keys that it changes.
enum class Notifies {
  kTyped,    ///< of each by a keyspace event of the value's type
  kGeneric,  ///< of each, but maybe only by an event of the generic class, or of a new key
  kKeyless,  ///< it names none; server events tell what it does, or it is captured at every cut
  kUnknown,  ///< not known to tell
};

/// `name` in lower case, as COMMAND has it, a subcommand as "xgroup|create". Known is what was
/// measured to tell on every server that has the command (tests/writes/tables), and what
/// tests/model sends to a master that is being copied; another name of one of these is not. Any
/// thread.
Notifies how_it_notifies(std::string_view name);

}  // namespace rdmasync::master

#pragma once

#include <functional>
#include <memory>
#include <stop_token>

#include "module/protocol/export.h"
#include "module/replica/control_connection.h"
#include "module/replica/own_server.h"
#include "module/replica/staging.h"
#include "module/replica/sync_status.h"

namespace rdmasync::replica {

/// A master's dataset, and the place in the master's stream at which it is exact.
struct Copy {
  std::shared_ptr<Staging> staging;
  protocol::CutReply cut;
  int rdb_version = 0;
};

/// What goes on around a copy; each may throw to end it.
struct CopyHooks {
  std::function<void(State)> enter;
  std::function<void()> check;  ///< now and then, while it reads
  /// The master has cut: what is left to read is known.
  std::function<void(const protocol::CutReply&)> cut;
};

/// Joins an export of the master, reads it up to a cut, and leaves it. What was read is what this
/// server can take. For one thread of ours. Throws Error.
Copy copy_dataset(ControlConnection& link, const MasterAddress& master, const OwnFacts& facts,
                  SyncStatus& status, const CopyHooks& hooks, const std::stop_token& stop);

}  // namespace rdmasync::replica

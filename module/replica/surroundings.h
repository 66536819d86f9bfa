#pragma once

#include <functional>
#include <memory>
#include <stop_token>

#include "module/replica/link_events.h"
#include "module/replica/own_server.h"
#include "module/replica/sync_status.h"
#include "rdmasync/error.h"

namespace rdmasync::replica {

/// What a session shares with the rest of the module; all of it outlives the session.
struct Surroundings {
  std::shared_ptr<SyncStatus> status;
  OwnServer& server;  ///< for the main thread only
  LinkEvents& link_events;
  /// Called on entering each state; a test may hold the session there.
  std::function<void(State, const std::stop_token&)> entered;

  /// Throws Error(kCancelled) if a stop is requested.
  void enter(State state, const std::stop_token& stop) const {
    status->enter(state);
    entered(state, stop);
    if (stop.stop_requested()) {
      throw Error(Errc::kCancelled, "stopped");
    }
  }
};

}  // namespace rdmasync::replica

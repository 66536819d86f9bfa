#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "module/replica/handover.h"
#include "module/replica/link_events.h"
#include "module/replica/own_server.h"
#include "module/replica/sync_status.h"

namespace rdmasync::replica {

/// Makes this server a replica of a master: on a thread of its own, again and again until it has
/// succeeded or is stopped.
class Sync {
 public:
  /// What the sync shares with the rest of the module; all of it outlives the sync.
  struct Surroundings {
    std::shared_ptr<SyncStatus> status;
    OwnServer& server;  ///< for the main thread only
    LinkEvents& link_events;
    /// Called on entering each state; a test may hold the sync there.
    std::function<void(State, const std::stop_token&)> entered;
  };

  Sync(std::string host, int port, Surroundings around);
  Sync(const Sync&) = delete;
  Sync& operator=(const Sync&) = delete;
  /// Stops it and waits for its thread, which may take as long as a connection attempt.
  ~Sync() = default;

  /// Returns at once. No task of this sync begins on the main thread afterwards, but for putting
  /// back what it has changed for the moment.
  void request_stop() { thread_.request_stop(); }
  bool stop_requested() const { return thread_.get_stop_token().stop_requested(); }
  bool finished() const { return finished_; }

  const std::string& host() const { return host_; }
  int port() const { return port_; }

 private:
  void run(const std::stop_token& stop);
  void attempt(const std::stop_token& stop);
  void enter(State state, const std::stop_token& stop);

  std::string host_;
  int port_;
  Surroundings around_;
  std::atomic<bool> finished_ = false;
  std::jthread thread_;
};

}  // namespace rdmasync::replica

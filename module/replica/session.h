#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>

#include "module/replica/control_connection.h"
#include "module/replica/copy.h"
#include "module/replica/link_events.h"
#include "module/replica/native_link.h"
#include "module/replica/own_server.h"
#include "module/replica/sync_status.h"

namespace rdmasync::replica {

/// One absence of this server's link to its master: stands by while the server makes its link
/// anew, and if that takes a full sync, makes it in place of the server. On a thread of its own. It
/// ends when the link is there, or when the sync is left to the server.
class Session {
 public:
  /// What it shares with the rest of the module; all of it outlives the session.
  struct Surroundings {
    std::shared_ptr<SyncStatus> status;
    OwnServer& server;  ///< for the main thread only
    LinkEvents& link_events;
    /// Called on entering each state; a test may hold the session there.
    std::function<void(State, const std::stop_token&)> entered;
  };

  Session(std::string host, int port, Surroundings around);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  /// Stops it and waits for its thread, which may take as long as a connection attempt.
  ~Session() = default;

  /// Returns at once. No task of it begins on the main thread afterwards, but for putting back what
  /// it has changed for the moment.
  void request_stop() { thread_.request_stop(); }
  bool finished() const { return finished_; }

 private:
  void run(const std::stop_token& stop);
  /// Whether the link is there, by itself or by a sync. Otherwise it is worth another try.
  bool stand_by(const std::stop_token& stop);
  void sync(ControlConnection& control, NativeLink& link, const MasterAddress& master,
            const OwnFacts& facts, const std::stop_token& stop);
  /// After a sync that has failed: throws unless it is to be tried again.
  void give_way(ControlConnection& control, NativeLink& link, const Error& error,
                const std::stop_token& stop);
  /// Keeps the server from a sync that it cannot take, or that would end it, until it is tried
  /// again.
  void hold_off(ControlConnection& control, NativeLink& link, const std::string& reason,
                const std::stop_token& stop);
  void load(ControlConnection& control, NativeLink& link, Copy copy, const std::stop_token& stop);
  void continue_natively(ControlConnection& control, NativeLink& link,
                         const std::string& replication_id, const std::stop_token& stop);
  void enter(State state, const std::stop_token& stop);
  bool link_is_up() const { return around_.link_events.count() > ups_before_; }

  std::string host_;
  int port_;
  Surroundings around_;
  std::uint64_t ups_before_;
  std::chrono::seconds pause_{1};  ///< until what has failed is tried again
  std::atomic<bool> finished_ = false;
  std::jthread thread_;
};

}  // namespace rdmasync::replica

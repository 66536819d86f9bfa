#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "module/replica/control_connection.h"
#include "module/replica/native_link.h"
#include "module/replica/own_link.h"
#include "module/replica/surroundings.h"
#include "module/replica/sync.h"

namespace rdmasync::replica {

/// One absence of this server's link to its master: stands by while the server makes its link
/// anew, and if that takes a full sync, makes it in place of the server. On a thread of its own. It
/// ends when the link is there, or when the sync is left to the server.
class Session {
 public:
  enum class Begun {
    kByServer,  ///< its link is down; what cannot be done is left to it
    kByUser,    ///< who wants another master: that of before stays until the copy of it is there,
                ///< and what fails is tried again
  };

  Session(std::string host, int port, Begun begun, Surroundings around);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  /// Stops it and waits for its thread, which may take as long as a connection attempt.
  ~Session() = default;

  /// Returns at once. No task of it begins on the main thread afterwards, but for putting back what
  /// it has changed for the moment.
  void request_stop() { thread_.request_stop(); }
  bool finished() const { return finished_; }

  Begun begun() const { return begun_; }
  bool insists_on(const std::string& host, int port) const;

 private:
  void run(const std::stop_token& stop);
  /// Whether the link is there, by itself or by a sync. Otherwise it is worth another try.
  bool stand_by(const std::stop_token& stop);
  /// After a sync that has failed: throws unless it is to be tried again.
  void give_way(ControlConnection& control, NativeLink& native, const Error& error,
                const std::stop_token& stop);
  /// Counts what has failed, and tells for how long it is to rest.
  std::chrono::milliseconds put_off(const std::string& reason);
  /// Keeps the server from a sync that it cannot take, or that would end it, until it is tried
  /// again.
  void hold_off(ControlConnection& control, NativeLink& native, const std::string& reason,
                const std::stop_token& stop);
  /// Whether the server's dataset is a copy that does not yet follow the master's stream.
  bool has_loaded(const std::stop_token& stop);
  /// Whether the server's link is up, and not to a history of its copy alone: it was continued, by
  /// what it had or by the copy, or it has synced on its own.
  bool came_up_by_itself(const std::stop_token& stop);
  std::string name() const { return host_ + ":" + std::to_string(port_); }

  std::string host_;
  int port_;
  Begun begun_;
  Surroundings around_;
  OwnLink link_;
  std::optional<Loaded> loaded_;   ///< a copy, whose history the server may still have
  std::chrono::seconds pause_{1};  ///< until what has failed is tried again
  std::atomic<bool> finished_ = false;
  std::jthread thread_;
};

}  // namespace rdmasync::replica

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include "module/replica/link_events.h"
#include "module/replica/own_server.h"

namespace rdmasync::replica {

/// The link of this replica's own server to its master, as a session sees it that began when the
/// link went down. For the session's thread; waits for the main thread where it is told so.
class OwnLink {
 public:
  /// `follows`: the server is a replica of that master already.
  OwnLink(OwnServer& server, LinkEvents& events, std::string host, int port, bool follows);

  bool follows() const { return follows_; }
  /// Makes it one. Waits for the main thread. Throws Error.
  void turn_to_master(const std::stop_token& stop);

  /// Whether it has come up since it was last down, by now or within that time.
  bool is_up() const { return follows_ && events_.count() > ups_before_; }
  bool comes_up(std::chrono::milliseconds time) { return events_.wait_beyond(ups_before_, time); }
  /// Throws Error(kCancelled) if the server has continued by itself.
  void check_is_down() const;

  // These wait for the main thread.

  /// Closes it: the server opens another, and asks for what it lacks.
  void renew(const std::stop_token& stop);
  /// Up to where the master's stream is applied; nothing while it is down.
  std::optional<std::int64_t> offset(const std::stop_token& stop);
  /// Whether the server's dataset is of this history, whatever its link.
  bool has_history(const std::string& replication_id, const std::stop_token& stop);
  /// Whether it is up, and its stream has taken over from this history.
  bool continues_from(const std::string& replication_id, const std::stop_token& stop);

 private:
  OwnServer& server_;  ///< for the main thread only
  LinkEvents& events_;
  std::string host_;
  int port_;
  bool follows_;
  std::uint64_t ups_before_;
};

}  // namespace rdmasync::replica

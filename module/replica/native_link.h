#pragma once

#include <chrono>
#include <set>
#include <string>

#include "module/replica/control_connection.h"

namespace rdmasync::replica {

/// Tells the master from which address the link of this replica's own server comes. The server
/// opens that link by itself, and anew whenever the master hangs up; its socket is one of this
/// process's. For one thread of ours.
class NativeLink {
 public:
  /// How long the master is usually asked to wait for a PSYNC.
  static constexpr std::chrono::milliseconds kAwait{500};
  static constexpr std::chrono::milliseconds kAtOnce{0};

  explicit NativeLink(ControlConnection& control) : control_(control) {}

  /// Looks where the link is, at most every few milliseconds, and says so if it has changed. Throws
  /// Error.
  void announce();

  /// Whether a PSYNC of the link waits at the master, by now or within that time. Throws Error.
  bool psync_waits(std::chrono::milliseconds time);

 private:
  void look();

  ControlConnection& control_;
  std::set<std::string> announced_;
  std::chrono::steady_clock::time_point next_look_{};
};

}  // namespace rdmasync::replica

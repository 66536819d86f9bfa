#pragma once

#include <memory>
#include <string>
#include <vector>

#include "module/replica/debug_hold.h"
#include "module/replica/link_events.h"
#include "module/replica/own_server.h"
#include "module/replica/session.h"
#include "module/replica/sync_status.h"

namespace rdmasync::replica {

/// This server in the role of a replica: the session that is under way, or the last one. Main
/// thread only.
class Replica {
 public:
  Replica();

  /// `RDMASYNC.SLAVEOF host port` and `... NO ONE`. Replies.
  void slaveof(RedisModuleCtx* ctx, const std::string& host, const std::string& port);

  /// The same from the directive; empty: nothing. Throws Error(kUsage).
  void start(const std::string& host, const std::string& port);

  const SyncStatus& status() const { return *status_; }
  const SyncTotals& totals() const { return totals_; }
  DebugHold& debug_hold() { return hold_; }

  /// From the command filter: what a sub-replica's PSYNC may not have.
  void filter_psync(RedisModuleCommandFilterCtx* command);

  // Server events.
  void role_changed();
  void master_link_up() { link_events_.up(); }
  void master_link_down();
  void before_sleep() { server_.before_sleep(); }
  void loading_began() { server_.loading_began(); }
  void loading_ended() { server_.loading_ended(); }
  void cron();
  void shutdown();

 private:
  /// Whether it has loaded a copy and not yet taken up its master's stream, or is about to.
  bool between_histories() const;
  /// Whose replica this server is to be is no longer what the directive says.
  static void turned_to(const std::string& host, const std::string& port);
  /// Begins a session if the link is down and there is none.
  void stand_by();
  void begin_session(const std::string& host, int port, Session::Begun begun);
  void stop_session();

  SyncTotals totals_;
  OwnServer server_;
  LinkEvents link_events_;
  DebugHold hold_;
  std::shared_ptr<SyncStatus> status_;
  bool link_is_down_ = true;  ///< and no session has stood by for it yet
  std::unique_ptr<Session> session_;
  std::vector<std::unique_ptr<Session>> stopping_;  ///< until their threads are done
};

}  // namespace rdmasync::replica

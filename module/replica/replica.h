#pragma once

#include <memory>
#include <string>
#include <vector>

#include "module/replica/debug_hold.h"
#include "module/replica/link_events.h"
#include "module/replica/own_server.h"
#include "module/replica/session.h"
#include "module/replica/sync.h"
#include "module/replica/sync_status.h"

namespace rdmasync::replica {

/// This server in the role of a replica: the sync that runs, or the last one. Main thread only.
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

  // Server events.
  void role_changed();
  void master_link_up() { link_events_.up(); }
  void master_link_down();
  void loading_began();
  void loading_ended(bool loaded);
  void cron();
  void shutdown();

 private:
  void stop();
  /// Whose replica this server is to be is no longer what the directive says.
  static void turned_to(const std::string& host, const std::string& port);
  void stand_by();
  void stop_session();
  void begin_session();
  bool follows(const std::string& host, int port) const;

  SyncTotals totals_;
  OwnServer server_;
  LinkEvents link_events_;
  DebugHold hold_;
  std::shared_ptr<SyncStatus> status_;
  std::unique_ptr<Sync> sync_;
  std::vector<std::unique_ptr<Sync>> stopping_;  ///< until their threads are done
  bool link_is_down_ = true;                     ///< and no session has stood by for it yet
  std::unique_ptr<Session> session_;
  std::vector<std::unique_ptr<Session>> stopping_sessions_;
};

}  // namespace rdmasync::replica

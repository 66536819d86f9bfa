#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "module/protocol/export.h"
#include "module/replica/link_events.h"
#include "module/replica/own_master.h"
#include "module/replica/own_server.h"
#include "module/replica/relay.h"
#include "module/replica/staging.h"

namespace rdmasync::replica {

/// Brings a staged dataset into this server by its own replication, and then points that at the
/// real master. For one thread of ours; every call throws Error.
///
/// Destroyed before it is done, it puts the server back: to its old master while the old dataset is
/// there; otherwise it leaves a replica without a master.
class Handover {
 public:
  Handover(OwnServer& server, LinkEvents& link_events, std::stop_token stop);
  Handover(const Handover&) = delete;
  Handover& operator=(const Handover&) = delete;
  ~Handover();

  /// Makes the server follow us. It serves its old dataset until the load.
  void begin();

  /// Replaces the dataset by the staged one; ends when the server has loaded it. `dump_path` is
  /// where the server keeps its RDB file.
  void load(const std::shared_ptr<Staging>& staging, const protocol::CutReply& cut, int rdb_version,
            const std::string& dump_path);

  /// Feeds the stream after the cut until at most `lag` bytes of it are left to apply.
  void relay(Relay& relay, std::int64_t lag);

  /// The same, and follows the master at that very moment.
  void relay_and_follow(Relay& relay, std::int64_t lag, const std::string& host, int port);

  /// Follows the master at once, when nothing or little was written since the cut.
  void follow(const std::string& host, int port);

  /// Waits until the link to the master is up.
  void await_link(std::chrono::milliseconds timeout);

 private:
  /// For the main thread, where it may run while this object ends: it holds all it needs.
  std::function<void()> follow_task(const std::string& host, int port);
  /// Feeds what there is of the stream. Calls `close` on the main thread if at most `lag` bytes are
  /// left to apply and the link can be left, and then returns true.
  bool feed(Relay& relay, std::int64_t lag, const std::function<void()>& close);

  OwnServer& server_;
  LinkEvents& link_events_;
  std::stop_token stop_;
  OwnMaster master_;
  std::uint64_t ups_before_ = 0;
  std::shared_ptr<bool> follows_master_ = std::make_shared<bool>(false);  ///< main thread
};

}  // namespace rdmasync::replica

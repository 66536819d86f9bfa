#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "module/master/sync_sessions.h"
#include "module/protocol/replies.h"
#include "module/redis/api.h"

namespace rdmasync::master {

/// Why there is no export meanwhile: keys that come are hidden until all are there, and those that
/// have gone are removed without a notification.
inline constexpr const char* kSlotsMigrate =
    "slots migrate from one server of the cluster to another";

/// The PSYNCs that the module answers in place of the server: those that the server could not
/// continue, of replicas that have the module. Main thread only.
///
/// A replica's module says on its control connection from which address its own server's link
/// comes; a PSYNC from there waits, blocked, until that replica says how to answer it. One from
/// elsewhere waits for a moment, and is then left to the server.
class PsyncAnswers {
 public:
  using ClientId = unsigned long long;
  using Clock = std::chrono::steady_clock;

  /// From the command filter: leaves a PSYNC to the server, or makes it RDMASYNC.EXPORT PSYNC.
  void filter(RedisModuleCommandFilterCtx* command);

  /// From the command filter: a SYNC follows if a server has ended the wait of a PSYNC, as it does
  /// when its cluster fails or it becomes a replica; it is told to ask again.
  void filter_sync(RedisModuleCommandFilterCtx* command);

  /// From the command filter: a REPLCONF may say that the PSYNC after it belongs to a full sync of
  /// the server's own, which has a connection for the stream and one for the RDB file.
  void see_replconf(RedisModuleCommandFilterCtx* command);

  /// That command. Replies when it is answered or told to ask again.
  void psync(RedisModuleCtx* ctx);

  /// RDMASYNC.EXPORT FILL, which a PSYNC of a session becomes that lacks filler. Replies.
  void fill(RedisModuleCtx* ctx, const std::string& session, std::int64_t offset);

  // What a replica says (module/protocol/requests.h).
  /// It has the module: a PSYNC of its host is given more time, until it has said more.
  void hello(ClientId control);
  void native(ClientId control, std::set<std::string> addresses);
  void await(RedisModuleCtx* ctx, std::chrono::milliseconds time);
  /// At the offset of the replica's cut, less what so many insertions are in the stream; or, if
  /// there was none yet, at that of now. Throws Error(kProtocol) if that is no id, or not possible.
  protocol::Answered answer(ClientId control, std::string_view session, std::string_view stub,
                            std::int64_t inserts);
  void later(ClientId control, std::string_view reason);
  void decline(ClientId control, std::string_view reason);

  /// A replica's dataset was cut there.
  void was_cut(ClientId control, const std::string& replication_id, std::int64_t offset);

  /// Why a PSYNC was last left to the server that it could not continue; empty: none was.
  const std::string& last_left() const { return last_left_; }

  /// This client's PSYNC is the server's own to answer, whatever it says.
  void exempt(ClientId client) { exempt_.insert(client); }

  // Server events.
  void client_gone(ClientId client);
  void cron();

 private:
  struct Cut {
    std::string replication_id;
    std::int64_t offset = 0;
  };
  /// A PSYNC that waits.
  struct Waiting {
    RedisModuleBlockedClient* client = nullptr;
    std::string address;
    Clock::time_point since = Clock::now();
    Clock::time_point unknown_since = Clock::now();  ///< no replica has said that it is its link
    bool was_known = false;                          ///< a replica has said so
  };
  /// A replica that has said where its link comes from.
  struct Replica {
    std::string host;  ///< of its control connection
    std::set<std::string> addresses;
    bool declined = false;
    RedisModuleBlockedClient* awaiting = nullptr;
    Clock::time_point awaits_until{};
    std::optional<Cut> cut;
    std::string session;  ///< that it was last answered with
  };

  /// A control connection that has said hello, and not yet where the link comes from.
  struct Greeting {
    std::string host;
    Clock::time_point until;
  };

  static Cut now();
  bool left_by_cluster(RedisModuleCommandFilterCtx* command);
  Replica& replica_of(ClientId control);
  Replica* replica_at(const std::string& address);
  Waiting* psync_of(const Replica& replica);
  void tell(Replica& replica);
  /// Whether somebody there is about to say which link is its own.
  bool is_awaited_from(const std::string& address);
  bool is_unknown_for_too_long(const Waiting& waiting);
  void ask_again(Waiting& waiting, std::string_view reason);
  /// The next PSYNC of that host.
  void leave_to_server(const std::string& address, std::string_view reason);
  bool may_pass(const std::string& address);
  /// Says so in the log.
  void left(const std::string& whose, std::string_view reason);

  std::map<ClientId, Waiting> waiting_;
  std::map<ClientId, Greeting> greetings_;
  std::map<ClientId, Replica> replicas_;  ///< by their control connections
  SyncSessions sessions_;                 ///< that were answered
  /// Hosts from where the next PSYNC is the server's, and how long that is so: from which port it
  /// will come nobody knows.
  std::multimap<std::string, Clock::time_point> passes_;
  std::set<ClientId> exempt_;
  std::optional<Clock::time_point> cluster_down_since_;  ///< as far as PSYNCs have found
  std::string last_left_;
};

}  // namespace rdmasync::master

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "module/redis/held_settings.h"
#include "module/replica/value_buffers.h"

namespace rdmasync::replica {

/// What a sync needs to know of this server, taken when it starts.
struct OwnFacts {
  std::string user;      ///< masteruser
  std::string password;  ///< masterauth
  std::string source;    ///< bind-source-addr
  std::string fabric;
  std::string run_id;
  std::string modules;    ///< that are loaded, by name
  std::string dump_path;  ///< where this server keeps its RDB file
  std::string announced_ip;
  int listening_port = 0;
  std::string server;  ///< its name and version
  int rdb_version = 0;
  std::uint32_t databases = 0;
  std::size_t relay_buffer = 0;
  ValueBuffers::Options value_buffers;
  std::chrono::seconds timeout{0};
};

/// This server as the sync handles it: its replication, its clients, its dataset. Main thread only.
class OwnServer {
 public:
  /// Throws Error(kUsage) where no replica can be made: cluster mode, TLS replication.
  OwnFacts facts() const;

  /// REPLICAOF 127.0.0.1 `port`, so that the dataset is loaded without a file and beside the old
  /// one, which it replaces at its end. Remembers what was before. Throws Error(kRefused) while
  /// another load is under way.
  void follow_own_master(int port);

  /// REPLICAOF the real master. The backlog of the stream is kept, so it resumes where it stands.
  void follow(const std::string& host, int port);

  /// Ends follow_own_master(port), once no load is under way: settings as they were and, unless
  /// there is no way back or `keep_following`, the old master too.
  void settle(int port, bool keep_following);

  /// Throws Error(kRefused) if another module keeps the server from loading without a file, beside
  /// the present dataset.
  void check_loads_beside() const;

  /// From now on a stub RDB is loaded so, and takes the place of the dataset at its end; until
  /// disallow_stub(), which waits for a load that is under way.
  void allow_stub();
  void disallow_stub();

  /// Closes the link to the master: the server opens another, and asks for what it lacks.
  void renew_link();

  /// Whether the link is up and the stream that of this history.
  bool follows(const std::string& replication_id) const;

  /// The offset up to which the stream is applied.
  std::int64_t applied_offset() const;

  /// Whether the link to the own master can be given up for another without losing the stream's
  /// place: not while it is blocked, as recent servers block it for a FLUSHALL.
  bool may_leave_own_master() const;

  /// REPLICAOF NO ONE, if this server is a replica.
  void promote();

  /// Whether this server follows us, or has yet to be put back from that.
  bool has_own_master() const { return own_port_ != 0; }

  /// Whether the server's role is changing because of the calls above.
  bool changing_role() const { return changing_role_; }

  /// The old master is not to come back: the old dataset is gone, or somebody else has said what
  /// this server is to follow.
  void no_way_back() { no_way_back_ = true; }

  /// Server event.
  void loading_ended();

 private:
  void replicaof(const std::string& host, const std::string& port);

  bool changing_role_ = false;
  bool no_way_back_ = false;
  int own_port_ = 0;  ///< of follow_own_master(), until that is settled
  std::function<void()> after_load_;
  std::string saved_diskless_load_;
  redis::HeldSettings stub_settings_;
  std::optional<std::pair<std::string, std::string>> old_master_;
};

}  // namespace rdmasync::replica

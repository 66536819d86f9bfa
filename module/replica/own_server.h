#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "module/redis/owned.h"
#include "module/replica/destinations.h"

namespace rdmasync::replica {

/// What a sync needs to know of this server, taken when it starts.
struct OwnFacts {
  std::string user;      ///< masteruser
  std::string password;  ///< masterauth
  std::string fabric;
  std::string run_id;
  std::string dump_path;  ///< where this server keeps its RDB file
  int listening_port = 0;
  int rdb_version = 0;
  std::uint32_t databases = 0;
  std::size_t relay_buffer = 0;
  Destinations::Options destinations;
  std::chrono::seconds timeout{0};
};

/// This server as the sync handles it: its replication, its clients, its dataset. Main thread only.
class OwnServer {
 public:
  /// Throws Error(kUsage) where no replica can be made: cluster mode, TLS replication.
  OwnFacts facts() const;

  /// REPLICAOF 127.0.0.1 `port`, loading without a file. Remembers what was before.
  void follow_own_master(int port);

  /// Lets no client be served until the load begins, and empties the dataset: from here on there is
  /// no way back.
  void empty_for_load();

  /// REPLICAOF the real master. The backlog of the stream is kept, so it resumes where it stands.
  void follow(const std::string& host, int port);

  /// Ends follow_own_master(): settings as they were, clients served, and, if the dataset is still
  /// the old one, the old master too.
  void settle(bool keep_following);

  /// The offset up to which the stream is applied.
  std::int64_t applied_offset() const;

  /// Whether the link to the own master can be given up for another without losing the stream's
  /// place: not while it is blocked, as recent servers block it for a FLUSHALL.
  bool may_leave_own_master() const;

  /// REPLICAOF NO ONE, if this server is a replica.
  void promote();

  bool dataset_is_old() const { return !emptied_; }

  /// Whether the server's role is changing because of the calls above.
  bool changing_role() const { return changing_role_; }

  /// Server event: the load has begun, clients get -LOADING from the server itself.
  void loading_began();

 private:
  void replicaof(const std::string& host, const std::string& port);
  void release_clients();

  bool changing_role_ = false;
  bool following_own_ = false;
  bool emptied_ = false;
  bool clients_held_ = false;
  std::string saved_diskless_load_;
  std::optional<std::pair<std::string, std::string>> old_master_;
};

}  // namespace rdmasync::replica

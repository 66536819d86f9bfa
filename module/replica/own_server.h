#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "module/redis/held_settings.h"
#include "module/replica/emptying.h"
#include "module/replica/filler_backlog.h"
#include "module/replica/value_buffers.h"

namespace rdmasync::replica {

/// What a sync needs to know of this server, taken when it starts.
struct OwnFacts {
  std::string user;      ///< masteruser
  std::string password;  ///< masterauth
  std::string source;    ///< bind-source-addr
  std::string fabric;
  std::string run_id;
  std::string modules;  ///< that are loaded, by name
  std::string announced_ip;
  int listening_port = 0;
  std::string server;  ///< its name and version
  int rdb_version = 0;
  std::uint32_t databases = 0;
  bool in_cluster = false;
  ValueBuffers::Options value_buffers;
  std::chrono::seconds timeout{0};
};

/// This server as the sync handles it: its replication, its clients, its dataset. Main thread only.
class OwnServer {
 public:
  /// Throws Error(kUsage) where no replica can be made: TLS replication.
  OwnFacts facts() const;

  /// REPLICAOF host port, unless that is its master already. Whether it was not. Throws
  /// Error(kRefused) while a load is under way.
  bool follow(const std::string& host, int port);

  /// Whether it is a replica of that master, and the link is up.
  bool follows(const std::string& host, int port) const;

  /// Whether it is a replica without a link.
  bool lacks_master() const;

  /// Throws Error(kRefused) if another module keeps the server from loading without a file, beside
  /// the present dataset.
  void check_loads_beside() const;

  /// How many it has, in all databases.
  std::uint64_t keys() const;

  /// Whether a dataset may be loaded as it comes: what this server has is then gone beforehand.
  bool may_stream() const;

  /// How a stub RDB is loaded; without a file either way.
  enum class Stub {
    kBeside,     ///< the present dataset, whose place it takes at its end
    kIntoEmpty,  ///< the server is emptied first
  };
  /// From now on one is; until disallow_stub() with the number that this returns, which waits for a
  /// load that is under way.
  std::uint64_t allow_stub(Stub how);
  void disallow_stub(std::uint64_t number);

  /// Up to where the master's stream is applied; nothing without a link.
  std::optional<std::int64_t> offset() const;

  /// Whether its dataset is of this history, whatever its link.
  bool has_history(const std::string& replication_id) const;
  /// Whether the link is up, and its stream has taken over from this history.
  bool continues_from(const std::string& replication_id) const;

  /// REPLICAOF NO ONE, if this server is a replica.
  void promote();

  /// Whether the server's role is changing because of the calls above.
  bool changing_role() const { return changing_role_; }

  FillerBacklog& filler() { return filler_; }

  // Server events.
  void before_sleep() { emptying_.before_sleep(); }
  void loading_began();
  void loading_ended();

 private:
  void replicaof(const std::string& host, const std::string& port);

  bool changing_role_ = false;
  std::vector<std::function<void()>> after_load_;
  std::uint64_t stubs_allowed_ = 0;
  redis::HeldSettings stub_settings_;
  Emptying emptying_{stub_settings_};
  FillerBacklog filler_;
};

}  // namespace rdmasync::replica

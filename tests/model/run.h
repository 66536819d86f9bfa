#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "settings.h"
#include "tests/commands/dice.h"
#include "tests/commands/payloads.h"
#include "tests/commands/repertoire.h"
#include "tests/support/server.h"

namespace rdmasync::test {

/// A master, its replicas and a server for MIGRATE, used by one run after the other.
class Stage {
 public:
  /// Limits the repertoire to what its servers have. `cluster`: of one master, which has all slots.
  Stage(Repertoire& repertoire, bool cluster);

  /// As new but for what the replicas hold, if that is to stay.
  void reset(const Settings& settings);

  Server& master() { return *master_; }
  /// A replica of it, that others may follow.
  Server& relay() { return *relay_; }
  Server& replica(int i) { return *replicas_.at(static_cast<std::size_t>(i)); }
  const Repertoire& repertoire() const { return repertoire_; }
  const Payloads& payloads() const { return payloads_; }
  /// Restarts it, from its own dump and with `replicaof` in its redis.conf.
  void start_as_replica(Server& replica, const Server& master, const Settings& settings);
  bool alive();
  std::string logs() const;

 private:
  void build_cluster();
  /// As masters without slots or keys, which know the master.
  void free_cluster_replicas();
  void free_replicas(const Settings& settings);

  const Repertoire& repertoire_;
  bool cluster_;
  ServerOptions options_;
  std::unique_ptr<Server> master_;
  std::unique_ptr<Server> relay_;
  std::vector<std::unique_ptr<Server>> replicas_;
  std::unique_ptr<Server> elsewhere_;
  Payloads payloads_;
};

struct Verdict {
  std::string difference;  ///< between master and replica: what the checker is for
  std::string failure;     ///< a sync failed, a server died, something never came
  std::string figures;     ///< of the syncs
  bool good() const { return difference.empty() && failure.empty(); }
};

/// One seed: writers, syncs at random moments, comparisons.
Verdict run_seed(Stage& stage, std::uint64_t seed, const Settings& settings);

}  // namespace rdmasync::test

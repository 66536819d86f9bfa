#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/commands/crowd.h"
#include "tests/commands/dice.h"

namespace rdmasync::test {

/// How a replica comes to its dataset.
enum class Way {
  kSlaveof,    ///< RDMASYNC.SLAVEOF
  kReplicaof,  ///< REPLICAOF, whose PSYNC the module answers
  kStart,      ///< replicaof in the redis.conf with which it starts
  kBroken,     ///< its link is broken for longer than the backlog lasts
  kCluster,    ///< CLUSTER REPLICATE
  kNative,     ///< REPLICAOF, and the module keeps out of it: to see what the checker says of that
};

std::string name_of(Way way);
/// Throws std::invalid_argument.
Way way_named(const std::string& name);

/// What a seed decides beside the commands.
struct Settings {
  /// What a seed need not decide; nothing: it does.
  struct Wanted {
    std::optional<Way> way = {};
    std::optional<bool> chain = {};
  };
  Settings(std::uint64_t seed, const std::string& fabric, const Wanted& wanted);

  std::vector<std::pair<std::string, std::string>> config;
  Way way = Way::kSlaveof;
  int replicas = 1;
  int mixers = 2;
  int batch = 1;  ///< commands sent before the first is answered
  int hold = 1;   ///< turns for which a transaction stays open
  /// None is open when a sync begins: those make the master scan again, which hides much.
  bool hold_late = false;
  int flushable = kDatabases;
  int largest_value = 0;
  int keys_per_type = 0;
  bool flood = false;        ///< rounds do not converge
  bool evict = false;        ///< the master has a memory limit meanwhile
  bool old_dataset = false;  ///< the replicas keep what they had from the run before
  bool chain = false;        ///< the replicas are those of a replica
  bool again = false;        ///< each replica syncs a second time, onto its own history
  int fill = 0;              ///< commands before the first sync
  std::vector<int> pauses;   ///< commands before each sync, and after the last

  bool cluster() const { return way == Way::kCluster; }

  std::string describe() const;

 private:
  void suit_an_emulated_machine();
  void suit_a_cluster();
};

/// What the servers of a run have whatever the seed: put back between runs.
std::vector<std::pair<std::string, std::string>> common_config();

}  // namespace rdmasync::test

#include "settings.h"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace rdmasync::test {

namespace {

constexpr std::array kWays = {
    std::pair{Way::kSlaveof, "slaveof"}, std::pair{Way::kReplicaof, "replicaof"},
    std::pair{Way::kStart, "start"},     std::pair{Way::kBroken, "broken"},
    std::pair{Way::kCluster, "cluster"}, std::pair{Way::kNative, "native"}};

}  // namespace

std::string name_of(Way way) {
  return kWays.at(static_cast<std::size_t>(way)).second;
}

Way way_named(const std::string& name) {
  for (const auto& [way, its_name] : kWays) {
    if (name == its_name) {
      return way;
    }
  }
  throw std::invalid_argument("no such way: " + name);
}

/// Small bounds, so that a sync of little data meets them all.
Settings::Settings(std::uint64_t seed, const std::string& fabric, const Wanted& wanted) {
  const Playground nothing;
  Dice dice(seed * 2 + 1, nothing);
  config = {{"rdmasync.fabric", fabric},
            {"rdmasync.export-memory", dice.pick({"1mb", "1mb", "4mb", "64mb"})},
            {"rdmasync.direct-threshold", dice.pick({"128", "1kb", "16kb", "64kb"})},
            {"rdmasync.part-elements", dice.pick({"2", "5", "30", "1024"})},
            {"hash-max-listpack-entries", dice.pick({"512", "3"})},
            {"zset-max-listpack-entries", dice.pick({"128", "3"})},
            {"set-max-intset-entries", dice.pick({"512", "3"})},
            {"rdmasync.pinned-memory", dice.pick({"1mb", "8mb", "256mb"})},
            {"rdmasync.join-window", dice.pick({"0", "0", "5", "100"})},
            {"rdmasync.max-rounds", dice.pick({"1", "2", "8"})},
            {"repl-backlog-size", dice.pick({"16kb", "1mb"})},
            {"hz", dice.pick({"10", "100"})}};
  constexpr int kMostReplicas = 3;
  replicas = dice.between(1, kMostReplicas);
  mixers = dice.between(1, 2);
  batch = dice.one_in(3) ? 1 : dice.between(4, 60);
  // One key at a time only where the master's event loop turns often.
  config.emplace_back("rdmasync.slice-us", dice.pick({batch == 1 ? "10" : "200", "50", "500"}));
  hold = dice.between(2, 40);
  hold_late = dice.one_in(2);
  largest_value = dice.one_in(3) ? 9000 : 200 << 10;
  keys_per_type = std::stoi(dice.pick({"4", "10", "40"}));
  flushable = dice.one_in(3) ? kDatabases : kDatabases - 4;
  flood = dice.one_in(3);
  evict = flushable == kDatabases && dice.one_in(3);
  old_dataset = dice.one_in(2);
  fill = dice.between(100, 2500);
  for (int i = 0; i <= replicas; i++) {
    pauses.push_back(dice.one_in(3) ? 0 : dice.below(batch == 1 ? 200 : 1500));
  }
  again = dice.one_in(3);
  way = wanted.way.value_or(way_named(dice.pick({"slaveof", "replicaof", "start", "broken"})));
  chain = wanted.chain.value_or(dice.one_in(4)) && way != Way::kNative;
  // What the cut refuses RDMASYNC.SLAVEOF tries again, and REPLICAOF leaves to the server.
  config.emplace_back("rdmasync.cut-max-ms", way == Way::kSlaveof && dice.one_in(4) ? "1" : "1000");
  if (way == Way::kBroken) {
    config.emplace_back("repl-backlog-size", "16kb");
  }
  if (cluster()) {
    suit_a_cluster();
  }
  if (fabric == "verbs") {
    suit_an_emulated_machine();
  }
}

/// It is tens of times as slow, and an export that has little time beside its writers takes
/// minutes.
void Settings::suit_an_emulated_machine() {
  constexpr int kBatch = 4;
  constexpr int kKeysPerType = 10;
  constexpr int kFill = 500;
  batch = std::min(batch, kBatch);
  keys_per_type = std::min(keys_per_type, kKeysPerType);
  fill = std::min(fill, kFill);
  flood = false;
  for (int& pause : pauses) {
    pause /= 4;
  }
  config.emplace_back("rdmasync.slice-us", "20000");
}

/// A cluster has one database, and no chains; and to leave a master empties a replica.
void Settings::suit_a_cluster() {
  flushable = kDatabases;
  chain = false;
  old_dataset = false;
  again = false;
}

std::string Settings::describe() const {
  std::string text = "by " + name_of(way) + ", " + std::to_string(replicas) + " replicas, " +
                     std::to_string(mixers) + " mixers, batches of " + std::to_string(batch) +
                     ", hold " + std::to_string(hold) + (hold_late ? " late" : "") + ", " +
                     std::to_string(flushable) + " flushable databases, " +
                     std::to_string(keys_per_type) + " keys per type, values to " +
                     std::to_string(largest_value) + (flood ? ", flood" : "") +
                     (evict ? ", eviction" : "") + (old_dataset ? ", onto an old dataset" : "") +
                     (chain ? ", in a chain" : "") + (again ? ", and again" : "");
  for (const auto& [name, value] : config) {
    text.append("\n    ").append(name).append(" ") += value;
  }
  return text;
}

std::vector<std::pair<std::string, std::string>> common_config() {
  return {{"list-max-listpack-size", "-2"},     {"list-compress-depth", "0"},
          {"hash-max-listpack-entries", "512"}, {"zset-max-listpack-entries", "128"},
          {"set-max-intset-entries", "512"},    {"stream-node-max-entries", "100"},
          {"lazyfree-lazy-user-del", "no"},     {"lazyfree-lazy-user-flush", "no"},
          {"lazyfree-lazy-expire", "no"},       {"maxmemory", "0"},
          {"maxmemory-policy", "noeviction"},   {"notify-keyspace-events", ""},
          {"rdmasync.accelerate", "yes"},       {"repl-ping-replica-period", "1"}};
}

}  // namespace rdmasync::test

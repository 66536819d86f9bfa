#include "run.h"

#include <algorithm>
#include <stdexcept>

#include "harness/sync_test.h"
#include "ledger.h"
#include "tests/commands/crowd.h"
#include "tests/commands/units.h"

namespace rdmasync::test {
namespace {

constexpr int kReplicas = 3;
constexpr std::uint64_t kSeedsPerRun = 64;
constexpr int kKept = 4;  // keys of each type that silent commands alone write

void configure(Server& server, const std::vector<std::pair<std::string, std::string>>& config) {
  Pipeline pipeline(server.client());
  for (const auto& [name, value] : config) {
    pipeline.add("CONFIG", "SET", name, value);
  }
  pipeline.finish();
}

void wait_cluster(Server& server, const std::string& field, const std::string& value) {
  wait_until(server.name() + " has " + field + ":" + value,
             [&] { return parse_info(server.must("CLUSTER", "INFO").text).at(field) == value; });
}

}  // namespace

Stage::Stage(Repertoire& repertoire, bool cluster)
    : repertoire_(repertoire),
      cluster_(cluster),
      options_{.config = {"repl-diskless-sync-delay 0"}, .module_args = {"debug", "yes"}} {
  if (cluster_) {
    // Nobody fails over because a busy machine is slow.
    options_.config.insert(options_.config.end(),
                           {"cluster-enabled yes", "cluster-node-timeout 60000"});
  }
  master_ = std::make_unique<Server>("master", options_);
  repertoire.limit_to(*master_);
  for (int i = 0; i < kReplicas; i++) {
    replicas_.push_back(std::make_unique<Server>("replica " + std::to_string(i), options_));
  }
  relay_ = std::make_unique<Server>("relay", options_);
  elsewhere_ = std::make_unique<Server>("elsewhere", ServerOptions{.load_module = false});
  payloads_ = make_payloads(*elsewhere_, repertoire_, true);
  payloads_.script = master_->must("SCRIPT", "LOAD", run_all_script).text;
  if (cluster_) {
    build_cluster();
  }
}

void Stage::build_cluster() {
  master_->must("CLUSTER", "ADDSLOTSRANGE", 0, 16383);
  wait_cluster(*master_, "cluster_state", "ok");
}

void Stage::free_cluster_replicas() {
  for (const auto& replica : replicas_) {
    turn(*replica, {"CLUSTER", "RESET"});
    replica->must("CLUSTER", "MEET", master_->host(), master_->port());
  }
  for (const auto& replica : replicas_) {
    wait_cluster(*replica, "cluster_slots_assigned", "16384");
  }
}

void Stage::free_replicas(const Settings& settings) {
  for (const auto& replica : replicas_) {
    replica->options() = options_;
    slaveof_no_one(*replica);
    if (!settings.old_dataset) {
      replica->must("FLUSHALL");
      replica->must("FUNCTION", "FLUSH");
    }
  }
  turn(*relay_, {"REPLICAOF", "NO", "ONE"});
}

void Stage::start_as_replica(Server& replica, const Server& master, const Settings& settings) {
  replica.must("SAVE");
  replica.kill();
  for (const auto& [name, value] : settings.config) {
    replica.options().config.push_back(std::string(name).append(" ").append(value));
  }
  replica.options().config.push_back("replicaof " + master.host() + " " +
                                     std::to_string(master.port()));
  replica.start();
}

void Stage::reset(const Settings& settings) {
  elsewhere_->must("FLUSHALL");
  cluster_ ? free_cluster_replicas() : free_replicas(settings);
  for (const auto& replica : replicas_) {
    configure(*replica, settings.config);
  }
  wait_export_gone(*relay_);
  configure(*relay_, settings.config);
  wait_export_gone(*master_);
  configure(*master_, common_config());
  configure(*master_, settings.config);
  if (settings.way == Way::kNative) {
    master_->must("CONFIG", "SET", "rdmasync.accelerate", "no");
  }
  master_->must("FLUSHALL");
  master_->must("FUNCTION", "FLUSH");
  master_->must("FUNCTION", "LOAD", run_all_library);
}

bool Stage::alive() {
  return master_->alive() && relay_->alive() &&
         std::all_of(replicas_.begin(), replicas_.end(),
                     [](const auto& replica) { return replica->alive(); });
}

std::string Stage::logs() const {
  const auto end_of_log = [](const Server& server) {
    constexpr std::size_t kLines = 25;
    return "---- log of " + server.name() + "\n" + server.log_tail(kLines) + "\n";
  };
  std::string text = end_of_log(*master_) + end_of_log(*relay_);
  for (const auto& replica : replicas_) {
    text += end_of_log(*replica);
  }
  return text;
}

namespace {

class Run {
 public:
  Run(Stage& stage, std::uint64_t seed, const Settings& settings)
      : stage_(stage),
        master_(stage.master()),
        source_(settings.chain ? stage.relay() : stage.master()),
        seed_(seed),
        settings_(settings),
        native_(settings.way == Way::kNative),
        playground_{.payloads = stage.payloads(),
                    .flushable = settings.flushable,
                    .largest_value = settings.largest_value,
                    .keys_per_type = settings.keys_per_type,
                    .slot = settings.cluster() ? "{all}" : ""},
        kept_{playground_},
        ledger_(std::to_string(seed), {kDatabases - 1, kDatabases - 2, kDatabases - 4}) {
    kept_.names = "kept:";
    kept_.keys_per_type = kKept;
  }

  Verdict run() {
    Verdict verdict;
    try {
      play(verdict);
    } catch (const std::exception& error) {
      verdict.failure = error.what();
    }
    return verdict;
  }

 private:
  void play(Verdict& verdict) {
    stage_.reset(settings_);
    if (settings_.chain) {
      turn(source_, {"REPLICAOF", master_.host(), std::to_string(master_.port())});
      wait_synced(source_, master_);
    }
    if (settings_.way == Way::kBroken) {
      for (int i = 0; i < settings_.replicas; i++) {
        replicaof(stage_.replica(i));
      }
      for (int i = 0; i < settings_.replicas; i++) {
        await(stage_.replica(i));
      }
    }
    const int full_syncs = full_syncs_so_far();
    const bool had_backlog = source_.info("replication", "repl_backlog_active") == "1";
    fill();
    Crowd crowd;
    gather(crowd);
    for (int i = 0; i < settings_.replicas; i++) {
      crowd.go_on(settings_.pauses.at(i));
      sync(stage_.replica(i));
      if (settings_.way == Way::kStart) {
        audit(crowd, i);
      }
    }
    if (settings_.hold_late) {
      hold(crowd);
    }
    for (int i = 0; i < settings_.replicas; i++) {
      await(stage_.replica(i));
    }
    if (!native_) {
      verdict.figures = figures();
    }
    crowd.pause();
    verdict.difference = compare();
    if (!verdict.difference.empty()) {
      return;
    }
    crowd.resume();
    if (settings_.again && !native_) {
      for (int i = 0; i < settings_.replicas; i++) {
        sync_again(stage_.replica(i));
      }
      for (int i = 0; i < settings_.replicas; i++) {
        await(stage_.replica(i));
      }
    }
    crowd.go_on(settings_.pauses.back());
    crowd.stop();
    verdict.difference = compare();
    if (!verdict.difference.empty() || native_) {
      return;
    }
    verdict.failure = failed_syncs();
    const int allowed = had_backlog ? 0 : settings_.replicas;  // priming it counts as one
    if (full_syncs_so_far() > full_syncs + allowed) {
      verdict.failure = "a native full sync";
    }
  }

  std::string figures() {
    std::string text;
    for (int i = 0; i < settings_.replicas; i++) {
      const auto fields = status(stage_.replica(i));
      text += ", " + fields.at("sync_rounds") + " rounds in " + fields.at("last_sync_duration_ms") +
              " ms";
    }
    return text;
  }

  bool keeps_ledger() const { return settings_.flushable < kDatabases; }

  void fill() {
    Client client = master_.connect();
    Dice dice(seed_, playground_);
    int sent = 0;
    for (int i = 0; i < settings_.fill; i++) {
      if (dice.one_in(20)) {
        client.send({"SELECT", dice.database()});
        sent++;
      }
      client.send(stage_.repertoire().any(dice));
      sent++;
    }
    for (; sent > 0; sent--) {
      client.receive();
    }
    fill_kept(client);
    if (keeps_ledger()) {
      ledger_.open(master_);
    }
    if (settings_.evict) {
      const long long used = std::stoll(master_.info("memory", "used_memory"));
      master_.must("CONFIG", "SET", "maxmemory-policy", "allkeys-random");
      master_.must("CONFIG", "SET", "maxmemory", used);
    }
  }

  void fill_kept(Client& client) {
    constexpr int kBusyDatabases = 4;
    const int databases = settings_.cluster() ? 1 : kBusyDatabases;
    Pipeline pipeline(client);
    for (int i = 0; i < databases * kKept; i++) {
      const std::string name = ":" + kept_.slot + kept_.names + std::to_string(i % kKept);
      pipeline.add("SELECT", i / kKept);
      for (const char* group : {"g0", "g1"}) {
        pipeline.add("XGROUP", "CREATE", "x" + name, group, "0", "MKSTREAM");
      }
      for (int entry = 0; entry < 12; entry++) {
        pipeline.add("XADD", "x" + name, "1-*", "f", entry);
      }
      pipeline.add("XREADGROUP", "GROUP", "g0", "c0", "COUNT", 6, "STREAMS", "x" + name, ">");
      pipeline.add("TESTTYPE.SET", "mod" + name, "kept");
      pipeline.add("PFADD", "hll" + name, i);
    }
    pipeline.finish();
  }

  void gather(Crowd& crowd) {
    constexpr int kWaiters = 2;
    const int followers = settings_.chain ? 1 : 0;
    std::uint64_t seed = seed_ * kSeedsPerRun;
    for (int i = 0; i < settings_.mixers; i++) {
      crowd.add(
          mixer(master_, stage_.repertoire(), playground_, ++seed, settings_.batch, followers));
    }
    if (!settings_.hold_late) {
      hold(crowd);
    }
    if (settings_.flood) {
      crowd.add(flood(master_, playground_, followers));
    }
    for (int i = 0; i < kWaiters; i++) {
      crowd.add(waiter(master_, stage_.repertoire(), playground_, ++seed));
    }
    if (!keeps_ledger()) {
      return;
    }
    crowd.add(ledger_.clerk(master_, ++seed));
    for (int i = 0; i < settings_.replicas && settings_.way != Way::kStart; i++) {
      audit(crowd, i);
    }
  }

  void audit(Crowd& crowd, int i) {
    if (keeps_ledger()) {
      crowd.add(ledger_.auditor(stage_.replica(i)));
    }
  }

  void hold(Crowd& crowd) {
    crowd.add(holder(master_, stage_.repertoire(), playground_, kept_, seed_ * kSeedsPerRun,
                     settings_.hold));
  }

  void sync(Server& replica) {
    switch (settings_.way) {
      case Way::kSlaveof:
        return slaveof(replica, source_);
      case Way::kStart:
        return stage_.start_as_replica(replica, source_, settings_);
      case Way::kCluster:
        return turn(replica, {"CLUSTER", "REPLICATE", source_.must("CLUSTER", "MYID").text});
      case Way::kBroken:
        break_link(replica);
        return replicaof(replica);
      default:
        return replicaof(replica);
    }
  }

  void replicaof(Server& replica) { replica.must("REPLICAOF", source_.host(), source_.port()); }

  /// Until the master cannot continue it any more.
  void break_link(Server& replica) {
    constexpr int kNobody = 1;
    replica.must("REPLICAOF", "127.0.0.1", kNobody);
    const long long offset = std::stoll(replica.info("replication", "slave_repl_offset"));
    wait_until("the backlog has moved on", [&] {
      return std::stoll(source_.info("replication", "repl_backlog_first_byte_offset")) > offset + 1;
    });
  }

  /// It would not sync again with the master that it follows, but under another name; nor would the
  /// server itself without a history of its own in between.
  void sync_again(Server& replica) {
    if (settings_.way == Way::kSlaveof) {
      replica.must("RDMASYNC.SLAVEOF", "localhost", source_.port());
    } else {
      replica.must("REPLICAOF", "NO", "ONE");
      replicaof(replica);
    }
  }

  void await(Server& replica) {
    wait_until(
        replica.name() + " is synced",
        [&] {
          if (!stage_.alive()) {
            throw std::runtime_error("a server has died");
          }
          if (!native_) {
            allow_a_long_cut(replica);
          }
          const auto link = replica.info("replication");
          return (native_ || status(replica, "state") == "synced") && link.at("role") == "slave" &&
                 link.at("master_port") == std::to_string(source_.port()) &&
                 link.at("master_link_status") == "up";
        },
        [&] { return describe_status(replica) + "; " + describe_status(source_); });
  }

  /// For the next try of a sync that has failed by the bound.
  void allow_a_long_cut(Server& replica) {
    if (status(replica, "last_sync_error").find("rdmasync.cut-max-ms (1)") != std::string::npos) {
      source_.must("CONFIG", "SET", "rdmasync.cut-max-ms", 1000);
    }
  }

  std::string compare() {
    // With a limit the master would go on evicting, and with a policy of recency be slow at it.
    master_.must("CONFIG", "SET", "maxmemory", 0);
    if (keeps_ledger()) {
      if (std::string found = ledger_.difference(master_); !found.empty()) {
        return found;
      }
    }
    if (settings_.chain) {
      wait_offsets_equal(master_, source_);
    }
    for (int i = 0; i < settings_.replicas; i++) {
      Server& replica = stage_.replica(i);
      if (settings_.cluster()) {
        wait_cluster(replica, "cluster_state", "ok");  // until then nobody reads there
      }
      if (std::string found = first_difference(master_, replica); !found.empty()) {
        return replica.name() + ": " + found;
      }
      if (!keeps_ledger()) {
        continue;
      }
      if (std::string found = ledger_.difference(replica); !found.empty()) {
        return found;
      }
    }
    return {};
  }

  std::string failed_syncs() {
    for (int i = 0; i < settings_.replicas; i++) {
      Server& replica = stage_.replica(i);
      const std::string error = status(replica, "last_sync_error");
      if (!error.empty()) {
        return replica.name() + ": a sync failed: " + error;
      }
    }
    return {};
  }

  int full_syncs_so_far() { return std::stoi(source_.info("stats", "sync_full")); }

  Stage& stage_;
  Server& master_;
  Server& source_;  ///< that the replicas follow
  std::uint64_t seed_;
  const Settings& settings_;
  bool native_;
  Playground playground_;
  Playground kept_;
  Ledger ledger_;
};

}  // namespace

Verdict run_seed(Stage& stage, std::uint64_t seed, const Settings& settings) {
  return Run(stage, seed, settings).run();
}

}  // namespace rdmasync::test

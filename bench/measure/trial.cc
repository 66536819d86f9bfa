#include "bench/measure/trial.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "bench/measure/availability.h"
#include "bench/measure/machine.h"
#include "bench/measure/memory.h"
#include "bench/measure/native_log.h"
#include "bench/measure/progress.h"
#include "bench/measure/requests.h"
#include "bench/measure/transfer.h"
#include "bench/measure/writer.h"
#include "bench/support.h"

namespace rdmasync::bench {
namespace {

using Clock = std::chrono::steady_clock;

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

std::vector<std::string> settings(const Method& method, const Network& network,
                                  const Programs& programs) {
  std::vector<std::string> lines{"protected-mode no"};
  // The minus: only the master's end has the address.
  lines.push_back(network.address() == "127.0.0.1" ? "bind 127.0.0.1"
                                                   : "bind 127.0.0.1 -" + network.address());
  if (method.kind == Method::Kind::kRdmasync) {
    lines.push_back("loadmodule " + std::filesystem::absolute(programs.module).string());
  }
  lines.insert(lines.end(), method.settings.begin(), method.settings.end());
  return lines;
}

/// A master, its replicas, and what is measured of them.
class Trial {
 public:
  Trial(const Method& method, const Scenario& scenario, const Network& network,
        const Programs& programs)
      : method_(method),
        scenario_(scenario),
        programs_(programs),
        progress_(fmt::format("{:<22}", method.title)) {
    ServerOptions options{.config = settings(method, network, programs),
                          .load_module = false,
                          .load_testtype = false,
                          .program = programs.redis_server,
                          .launcher = network.at_master({}),
                          .unix_socket = true};
    master_ = std::make_unique<Server>("master", options);
    options.launcher = network.at_replica({});
    for (std::uint64_t i = 0; i < scenario.replicas; ++i) {
      replicas_.push_back(std::make_unique<Server>(fmt::format("replica{}", i), options));
    }
    address_ = network.address();
    move_to_replica_ = [&network] { network.move_to_replica(); };
  }

  Outcome measure();

  std::string log_tails() const {
    constexpr std::size_t kShown = 12;
    return fmt::format("End of the master's log:\n{}End of the replica's:\n{}",
                       master_->log_tail(kShown), replicas_.front()->log_tail(kShown));
  }

 private:
  using Transfers = std::vector<std::unique_ptr<Transfer>>;

  Transfers make_transfers() const;
  void fill_servers();
  void sync_all(const Transfers& transfers, const std::function<void()>& sample);
  void count_cpu();
  void read_status();
  bool digests_equal() const;

  const Method& method_;
  const Scenario& scenario_;
  const Programs& programs_;
  Progress progress_;
  std::unique_ptr<Server> master_;
  std::vector<std::unique_ptr<Server>> replicas_;
  std::string address_;
  std::function<void()> move_to_replica_;
  Outcome outcome_;
};

Trial::Transfers Trial::make_transfers() const {
  Transfers transfers;
  for (const auto& replica : replicas_) {
    transfers.push_back(make_transfer(
        method_, {[this] { return master_->connect(); }, [&] { return replica->connect(); },
                  address_, master_->port(), move_to_replica_}));
  }
  return transfers;
}

void Trial::fill_servers() {
  const auto estimate = static_cast<double>(estimated_bytes(scenario_.dataset));
  const auto fill_one = [&](const Server& server, const std::string& what) {
    fill([&] { return server.connect(); }, scenario_.dataset,
         [&](std::uint64_t bytes) {
           progress_.show(what, static_cast<double>(bytes) / estimate, bytes);
         });
  };
  fill_one(*master_, "filling the master");
  for (const auto& replica : replicas_) {
    if (scenario_.serving) {
      fill_one(*replica, "filling a replica");
    }
  }
}

/// Starts all at once and returns when the last one is done.
void Trial::sync_all(const Transfers& transfers, const std::function<void()>& sample) {
  for (const auto& transfer : transfers) {
    transfer->start();
  }
  wait_for(programs_.timeout, "the sync", [&] {
    sample();
    bool done = true;
    for (const auto& transfer : transfers) {
      const Stage stage = transfer->poll();
      if (done) {
        progress_.show(stage.phase, stage.share, stage.bytes);
      }
      done = done && stage.done;
    }
    return done;
  });
}

/// What was used since the last call.
void Trial::count_cpu() {
  CpuTime replicas;
  double faults = 0;
  for (const auto& replica : replicas_) {
    replicas += cpu_time(replica->pid());
    faults += page_faults(replica->pid());
  }
  outcome_.master_cpu = cpu_time(master_->pid()) - outcome_.master_cpu;
  outcome_.replica_cpu = replicas - outcome_.replica_cpu;
  outcome_.replica_faults = faults - outcome_.replica_faults;
}

void Trial::read_status() {
  const Fields replica = replicas_.front()->connect().status();
  const Fields master = master_->connect().status();
  outcome_.parts = rdmasync_parts(replica);
  outcome_.fabric = replica.text("fabric");
  outcome_.rounds = replica.number("sync_rounds");
  outcome_.slice_max_us = master.number("slice_max_us");
  outcome_.cut_max_us = master.number("cut_max_us");
  outcome_.values_in_place = master.number("export_direct");
  outcome_.values_in_ring = master.number("export_packed");
  outcome_.ring_bytes = master.number("export_ring_bytes");
}

bool Trial::digests_equal() const {
  const auto digest = [](const Server& server) {
    return server.connect().must("DEBUG", "DIGEST").text;
  };
  const std::string expected = digest(*master_);
  return std::all_of(replicas_.begin(), replicas_.end(),
                     [&](const auto& replica) { return digest(*replica) == expected; });
}

Outcome Trial::measure() {
  fill_servers();
  Client control = master_->connect();
  Client replica = replicas_.front()->connect();
  const Transfers transfers = make_transfers();
  const double forks = control.info("stats").number("total_forks");
  const double replica_used = replica.info("memory").number("used_memory");
  MemoryWatch memory(master_->pid());
  MemoryWatch replica_memory(replicas_.front()->pid());
  Requests requests(master_->directory() / "socket", scenario_.dataset, scenario_.request_rate);
  const auto requests_at = Clock::now();
  if (scenario_.request_rate > 0) {
    progress_.show("requests before the sync", 0, 0);
    std::this_thread::sleep_for(std::chrono::seconds(scenario_.idle_seconds));
  }
  const auto warming_at = Clock::now();
  progress_.show("warming free memory", 0, 0);
  warm_memory(transfer_memory(estimated_bytes(scenario_.dataset), scenario_.replicas));
  Writer writer(master_->connect(), scenario_.dataset, scenario_.write_rate,
                scenario_.large_write_rate);
  Availability availability(replicas_.front()->connect());
  std::this_thread::sleep_for(std::chrono::milliseconds(100));  // let them get going
  writer.take_writes();
  writer.take_longest_wait();

  const double children = cpu_time(master_->pid()).children;
  const double stolen = stolen_ms();
  count_cpu();
  const auto started_at = std::chrono::system_clock::now();
  const auto start = Clock::now();
  sync_all(transfers, [&] {
    memory.sample();
    replica_memory.sample();
  });
  outcome_.total_ms = ms_since(start);
  const auto end = Clock::now();
  const auto ended_at = std::chrono::system_clock::now();
  outcome_.stolen_ms = stolen_ms() - stolen;
  count_cpu();
  outcome_.not_serving_ms = availability.stop();
  outcome_.writes = static_cast<double>(writer.take_writes());
  outcome_.longest_wait_ms = static_cast<double>(writer.take_longest_wait().count()) / 1000;
  outcome_.master_growth = static_cast<double>(memory.growth());
  outcome_.replica_growth =
      std::max(0.0, static_cast<double>(replica_memory.growth()) + replica_used -
                        replica.info("memory").number("used_memory"));
  outcome_.forks = control.info("stats").number("total_forks") - forks;
  if (method_.kind == Method::Kind::kRdmasync) {
    read_status();
  } else if (method_.kind == Method::Kind::kNative) {
    outcome_.parts = native_parts(master_->directory() / "log",
                                  replicas_.front()->directory() / "log", started_at, ended_at);
  }

  progress_.show("comparing the digests", 1, 0);
  requests.stop();
  if (scenario_.request_rate > 0) {
    outcome_.idle = requests.latency(requests_at, warming_at);
    outcome_.during = requests.latency(start, end);
    // Not every host tells.
    outcome_.stolen_ms = std::max(outcome_.stolen_ms, requests.kept_waiting_ms(start, end));
    // Wide enough for a 99th percentile, and not too many for a plot.
    const auto slot = std::clamp<Clock::duration>(
        (end - start) / 100, std::chrono::milliseconds(20), std::chrono::milliseconds(200));
    // The last idle second, and then the sync: what came between was the warming.
    outcome_.latencies =
        requests.slots(warming_at - std::chrono::seconds(1), warming_at, warming_at, slot);
    const auto slots = requests.slots(start, end, start, slot);
    outcome_.latencies.insert(outcome_.latencies.end(), slots.begin(), slots.end());
  }
  writer.stop();
  // The CPU time of the fork is known only when it is gone, and so is what was copied for it.
  wait_for(programs_.timeout, "the master's fork",
           [&] { return control.info("persistence").number("rdb_bgsave_in_progress") == 0; });
  outcome_.master_growth += control.info("persistence").number("rdb_last_cow_size");
  outcome_.master_cpu.children = cpu_time(master_->pid()).children - children;
  const double offset = control.info("replication").number("master_repl_offset");
  for (const auto& transfer : transfers) {
    wait_for(programs_.timeout, "catching up", [&] { return transfer->caught_up(offset); });
  }
  outcome_.equal = digests_equal();
  return outcome_;
}

}  // namespace

Outcome run_sync(const Method& method, const Scenario& scenario, const Network& network,
                 const Programs& programs) {
  Trial trial(method, scenario, network, programs);
  try {
    return trial.measure();
  } catch (const std::exception& error) {
    if (interrupted()) {
      throw;
    }
    throw std::runtime_error(
        fmt::format("{}: {}\n{}", method.name, error.what(), trial.log_tails()));
  }
}

}  // namespace rdmasync::bench

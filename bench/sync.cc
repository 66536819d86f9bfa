#include "bench/sync.h"

#include <fmt/format.h>

#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

#include "bench/dataset.h"
#include "bench/machine.h"
#include "bench/server.h"
#include "bench/writer.h"

namespace rdmasync::bench {
namespace {

using Clock = std::chrono::steady_clock;

std::vector<std::string> settings(Method method, const Options& options) {
  // Periodic saves would fork in the middle of a measurement.
  std::vector<std::string> lines{"save \"\"", "enable-debug-command local"};
  if (options.address != "127.0.0.1") {
    lines.insert(lines.end(), {"bind 127.0.0.1 " + options.address, "protected-mode no"});
  }
  if (method == Method::kRdmasync) {
    lines.push_back("loadmodule " + std::filesystem::absolute(options.module).string());
    if (options.fabric != "auto") {
      lines.push_back("rdmasync.fabric " + options.fabric);
    }
  }
  if (method == Method::kNativeBest) {
    lines.insert(lines.end(),
                 {"repl-diskless-sync yes", "repl-diskless-sync-delay 0",
                  "repl-diskless-load on-empty-db", "rdbcompression no", "rdbchecksum no"});
  }
  return lines;
}

/// A sync under way, seen from the replica.
class Sync {
 public:
  Sync(Method method, std::string master_address, const Server& master, const Server& replica)
      : method_(method),
        master_address_(std::move(master_address)),
        master_port_(master.port()),
        replica_(replica.connect()) {}

  void start() {
    replica_.command({method_ == Method::kRdmasync ? "RDMASYNC.SLAVEOF" : "REPLICAOF",
                      master_address_, std::to_string(master_port_)});
  }

  /// True once the replica serves the whole dataset and follows the master itself.
  bool done(Progress& progress, double dataset_bytes) {
    return method_ == Method::kRdmasync ? rdmasync_done(progress)
                                        : native_done(progress, dataset_bytes);
  }

  /// Until the replica has all that the master has written.
  bool caught_up(double offset) {
    return replica_.info("replication").number("slave_repl_offset") >= offset;
  }

  Fields status() { return replica_.status(); }

 private:
  bool link_up(const Fields& replication) const {
    return replication.text("master_link_status") == "up" &&
           replication.number("master_port") == master_port_;
  }

  bool rdmasync_done(Progress& progress) {
    const Fields status = replica_.status();
    const std::string state = status.text("state");
    if (state == "failed") {
      throw std::runtime_error("rdmasync failed: " + status.text("last_sync_error"));
    }
    progress.show(state.empty() ? "loading" : state, status.number("sync_perc") / 100,
                  static_cast<std::uint64_t>(status.number("sync_read_bytes")));
    return state == "synced" && link_up(replica_.info("replication"));
  }

  bool native_done(Progress& progress, double dataset_bytes) {
    const Fields replication = replica_.info("replication");
    const Fields persistence = replica_.info("persistence");
    const bool loading = persistence.number("loading") != 0;
    const double read = loading ? persistence.number("loading_loaded_bytes")
                                : replication.number("master_sync_read_bytes");
    progress.show(loading    ? "loading"
                  : read > 0 ? "transfer"
                             : "wait",
                  read / dataset_bytes, static_cast<std::uint64_t>(read));
    return link_up(replication);
  }

  Method method_;
  std::string master_address_;
  int master_port_;
  Client replica_;
};

std::vector<Part> rdmasync_parts(const Fields& status) {
  std::vector<Part> parts;
  for (const char* name : {"connect", "attach", "pull", "cut", "load", "relay", "handover"}) {
    parts.push_back({name, status.number(fmt::format("last_sync_{}_ms", name))});
  }
  return parts;
}

bool digests_equal(const Server& master, const Server& replica) {
  Client left = master.connect();
  Client right = replica.connect();
  left.append({"DEBUG", "DIGEST"});
  right.append({"DEBUG", "DIGEST"});
  const Reply one = left.read();
  const Reply other = right.read();
  return std::string_view(one->str, one->len) == std::string_view(other->str, other->len);
}

template <typename Condition>
void wait_for(const Options& options, std::string_view what, const Condition& condition) {
  constexpr auto kPoll = std::chrono::milliseconds(2);
  const auto deadline = Clock::now() + std::chrono::seconds(options.timeout_seconds);
  while (!condition()) {
    throw_if_interrupted();
    if (Clock::now() > deadline) {
      throw std::runtime_error(
          fmt::format("{} took more than {} s", what, options.timeout_seconds));
    }
    std::this_thread::sleep_for(kPoll);
  }
}

Outcome measure(Method method, const Options& options, const Server& master,
                const Server& replica) {
  Client control = master.connect();
  Progress progress(fmt::format("{:<16}", title_of(method)));
  progress.show("filling the master", 0, 0);
  fill(master.port(), options);

  Outcome outcome;
  Sync sync(method, options.address, master, replica);
  const double dataset = control.info("memory").number("used_memory");
  const double forks = control.info("stats").number("total_forks");
  MemoryWatch memory(master.pid());
  progress.show("warming free memory", 0, 0);
  warm_memory(options);
  Writer writer(master.connect(), options);

  std::this_thread::sleep_for(std::chrono::milliseconds(100));  // let the writer get going
  writer.take_writes();
  writer.take_longest_wait();
  const auto started_at = std::chrono::system_clock::now();
  const auto start = Clock::now();
  sync.start();
  wait_for(options, "the sync", [&] {
    memory.sample();
    return sync.done(progress, dataset);
  });
  outcome.total_ms = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  const auto ended_at = std::chrono::system_clock::now();
  outcome.writes = static_cast<double>(writer.take_writes());
  outcome.longest_wait_ms = static_cast<double>(writer.take_longest_wait().count()) / 1000;
  outcome.master_growth = static_cast<double>(memory.growth());
  outcome.forks = control.info("stats").number("total_forks") - forks;
  if (method == Method::kRdmasync) {
    const Fields status = sync.status();
    outcome.parts = rdmasync_parts(status);
    outcome.fabric = status.text("fabric");
    outcome.rounds = status.number("sync_rounds");
    outcome.slice_max_us = control.status().number("slice_max_us");
  } else {
    outcome.parts = native_parts(replica.log(), started_at, ended_at);
  }

  progress.show("comparing the digests", 1, static_cast<std::uint64_t>(dataset));
  writer.stop();
  const double offset = control.info("replication").number("master_repl_offset");
  wait_for(options, "catching up", [&] { return sync.caught_up(offset); });
  if (method != Method::kRdmasync) {
    // Known only when the fork is gone.
    wait_for(options, "the master's fork",
             [&] { return control.info("persistence").number("rdb_bgsave_in_progress") == 0; });
    outcome.master_growth += control.info("persistence").number("rdb_last_cow_size");
  }
  outcome.equal = digests_equal(master, replica);
  return outcome;
}

}  // namespace

std::string title_of(Method method) {
  switch (method) {
    case Method::kRdmasync:
      return "rdmasync";
    case Method::kNativeDefault:
      return "native, default";
    case Method::kNativeBest:
      return "native, best";
  }
  return {};
}

Outcome run_sync(Method method, const Options& options, const std::filesystem::path& scratch) {
  const std::vector<std::string> lines = settings(method, options);
  const std::filesystem::path directory = scratch / title_of(method).substr(0, 6);
  std::filesystem::remove_all(directory);
  const Server master(options.redis_server, directory / "master", lines);
  const Server replica(options.redis_server, directory / "replica", lines);
  try {
    return measure(method, options, master, replica);
  } catch (const std::exception& error) {
    if (interrupted()) {
      throw;
    }
    throw std::runtime_error(
        fmt::format("{}\nEnd of the master's log:\n{}End of the replica's:\n{}", error.what(),
                    master.log_tail(), replica.log_tail()));
  }
}

}  // namespace rdmasync::bench

#include "module/replica/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <utility>

#include "module/protocol/psync.h"
#include "module/redis/log.h"
#include "module/replica/main_tasks.h"
#include "module/replica/stub_load.h"
#include "module/replica/suitability.h"
#include "rdma/thread.h"
#include "rdmasync/protocol.h"

namespace rdmasync::replica {

namespace {

// Sooner than the server, which tries once in a second: a master waits but for a moment.
constexpr std::chrono::milliseconds kRetry{200};
constexpr std::chrono::seconds kLongestPause{30};
// How long the master is asked to wait for a PSYNC before it says that there is none yet.
constexpr std::chrono::milliseconds kAwait{500};
constexpr std::chrono::milliseconds kLook{20};
// The master closes connections that are silent for long (its `timeout`).
constexpr std::chrono::seconds kSignOfLife{1};

/// While it lives, the server loads a stub without a file, beside its present dataset.
class LoadPermit {
 public:
  LoadPermit(OwnServer& server, const std::stop_token& stop) : server_(server) {
    on_main(stop, [&server] { server.allow_stub(); });
  }
  LoadPermit(const LoadPermit&) = delete;
  LoadPermit& operator=(const LoadPermit&) = delete;
  ~LoadPermit() {
    redis::post_to_main([&server = server_] { server.disallow_stub(); });
  }

 private:
  OwnServer& server_;
};

std::map<std::uint32_t, std::uint64_t> sizes_of(const Staging& staging) {
  std::map<std::uint32_t, std::uint64_t> sizes;
  for (const auto& [db, keys] : staging.databases()) {
    if (!keys.empty()) {
      sizes[db] = keys.size();
    }
  }
  return sizes;
}

}  // namespace

Session::Session(std::string host, int port, Surroundings around)
    : host_(std::move(host)),
      port_(port),
      around_(std::move(around)),
      ups_before_(around_.link_events.count()),
      thread_(rdma::start_thread("rdmasync-sync",
                                 [this](const std::stop_token& stop) { run(stop); })) {}

void Session::run(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any retry_due;
  while (!stop.stop_requested()) {
    try {
      if (stand_by(stop)) {
        break;
      }
    } catch (const std::exception& error) {
      if (!stop.stop_requested()) {
        redis::log_notice(fmt::format("rdmasync: the sync with {}:{} is left to the server: {}",
                                      host_, port_, error.what()));
      }
      break;
    }
    std::unique_lock lock(mutex);
    retry_due.wait_for(lock, stop, kRetry, [] { return false; });
  }
  finished_ = true;
}

void Session::enter(State state, const std::stop_token& stop) {
  around_.status->enter(state);
  around_.entered(state, stop);
  if (stop.stop_requested()) {
    throw Error(Errc::kCancelled, "stopped");
  }
}

bool Session::stand_by(const std::stop_token& stop) {
  const auto facts = on_main(stop, [&server = around_.server] { return server.facts(); });
  const MasterAddress master{host_, port_, facts.user, facts.password, facts.source};
  try {
    ControlConnection control(master, facts.timeout, stop);
    check_master(control, host_ + ":" + std::to_string(port_), facts.run_id);
    NativeLink link(control);
    while (!link.psync_waits(kAwait)) {
      if (link_is_up()) {
        return true;
      }
    }
    around_.status->begin(host_, port_);
    try {
      sync(control, link, master, facts, stop);
      return true;
    } catch (const Error& error) {
      around_.status->fail(error.what());
      give_way(control, link, error, stop);
    }
  } catch (const Error& error) {
    // The master may come back: until then the server has no link either.
    if (error.code() != Errc::kPeerLost && error.code() != Errc::kBusy) {
      throw;
    }
  }
  return link_is_up();
}

void Session::give_way(ControlConnection& control, NativeLink& link, const Error& error,
                       const std::stop_token& stop) {
  switch (error.code()) {
    case Errc::kUsage:
      return hold_off(control, link, error.what(), stop);
    case Errc::kPeerLost:
    case Errc::kBusy:
    case Errc::kCancelled:
      throw error;
    default:
      control.command({protocol::kExportCommand, protocol::kDecline, error.what()});
      throw error;
  }
}

void Session::hold_off(ControlConnection& control, NativeLink& link, const std::string& reason,
                       const std::stop_token& stop) {
  redis::log_warning(fmt::format("rdmasync: the sync with {}:{} failed: {}; again in {} s", host_,
                                 port_, reason, pause_.count()));
  const auto until = std::chrono::steady_clock::now() + pause_;
  pause_ = std::min(pause_ * 2, kLongestPause);
  while (std::chrono::steady_clock::now() < until && !stop.stop_requested()) {
    if (link.psync_waits(kAwait)) {
      control.command({protocol::kExportCommand, protocol::kLater, reason});
    }
  }
}

void Session::sync(ControlConnection& control, NativeLink& link, const MasterAddress& master,
                   const OwnFacts& facts, const std::stop_token& stop) {
  on_main(stop, [&server = around_.server] { server.check_loads_beside(); });
  const auto check = [&] {
    control.check_alive();
    link.announce();
    if (link_is_up()) {
      throw Error(Errc::kCancelled, "the server has continued by itself");
    }
  };
  Copy copy = copy_dataset(
      control, master, facts, *around_.status,
      {[&](State state) { enter(state, stop); }, check, [](const protocol::CutReply&) {}}, stop);
  const std::string replication_id = copy.cut.replication_id;
  load(control, link, std::move(copy), stop);
  continue_natively(control, link, replication_id, stop);
  around_.status->enter(State::kSynced);
  redis::log_notice(fmt::format("rdmasync: synced with {}:{} in {}; replication goes on natively",
                                host_, port_, around_.status->figures()));
}

void Session::load(ControlConnection& control, NativeLink& link, Copy copy,
                   const std::stop_token& stop) {
  const std::string id = protocol::random_id();
  const std::string stub = protocol::stub_rdb(sizes_of(*copy.staging), id);
  const LoadPermit permit(around_.server, stop);
  const PendingLoad pending(id, std::move(copy.staging), Insert::kAll);
  enter(State::kWaiting, stop);
  ups_before_ = around_.link_events.count();
  const auto answered = [&] {
    return protocol::waits_from(
               fields_of(*control.command({protocol::kExportCommand, protocol::kAnswer, id, stub})))
        .psync;
  };
  while (!link.psync_waits(kAwait) || !answered()) {
    control.check_alive();
  }
  enter(State::kLoading, stop);
  auto next_sign = std::chrono::steady_clock::now() + kSignOfLife;
  while (!around_.link_events.wait_beyond(ups_before_, kLook)) {
    control.check_alive();
    if (std::chrono::steady_clock::now() < next_sign) {
      continue;
    }
    next_sign = std::chrono::steady_clock::now() + kSignOfLife;
    if (link.psync_waits({})) {
      throw Error(Errc::kResources, "this server has not loaded the copy: its log says why");
    }
  }
  if (!pending.inserted()) {
    throw Error(Errc::kResources, "this server has not taken the whole copy: its log says why");
  }
}

void Session::continue_natively(ControlConnection& control, NativeLink& link,
                                const std::string& replication_id, const std::stop_token& stop) {
  enter(State::kContinuing, stop);
  ups_before_ = around_.link_events.count();
  on_main(stop, [&server = around_.server] { server.renew_link(); });
  auto next_sign = std::chrono::steady_clock::now() + kSignOfLife;
  const auto continued = [&] {
    return on_main(stop, [&server = around_.server, replication_id] {
      return server.follows(replication_id);
    });
  };
  while (!around_.link_events.wait_beyond(ups_before_, kLook) || !continued()) {
    control.check_alive();
    if (std::chrono::steady_clock::now() < next_sign) {
      continue;
    }
    next_sign = std::chrono::steady_clock::now() + kSignOfLife;
    if (link.psync_waits({})) {
      throw Error(Errc::kResources,
                  "the master's backlog did not last until this server had loaded the copy: raise "
                  "the master's repl-backlog-size");
    }
  }
}

}  // namespace rdmasync::replica

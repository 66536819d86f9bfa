#include "module/replica/sync.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "module/redis/log.h"
#include "module/replica/copy.h"
#include "module/replica/main_tasks.h"
#include "module/replica/suitability.h"
#include "rdma/thread.h"

namespace rdmasync::replica {

namespace {

constexpr std::chrono::seconds kFirstRetry{1};
constexpr std::chrono::seconds kLastRetry{30};

// What the master's stream may move during a copy and still count as quiet: its own pings and cuts.
constexpr std::int64_t kQuietStream = 16 << 10;

/// Whether the master has written more than `lag` since the cut, or can no longer be asked: it may
/// have closed a connection that was idle during a long load.
bool moved_on(ControlConnection& link, const protocol::CutReply& cut, std::int64_t lag) {
  try {
    return position_of(link).offset - cut.offset > lag;
  } catch (const Error& error) {
    if (error.code() != Errc::kPeerLost) {
      throw;
    }
    return true;
  }
}

}  // namespace

Sync::Sync(std::string host, int port, Surroundings around)
    : host_(std::move(host)),
      port_(port),
      around_(std::move(around)),
      thread_(rdma::start_thread("rdmasync-sync",
                                 [this](const std::stop_token& stop) { run(stop); })) {}

void Sync::run(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any retry_due;
  for (auto pause = kFirstRetry; !stop.stop_requested(); pause = std::min(pause * 2, kLastRetry)) {
    std::string reason;
    try {
      attempt(stop);
      break;
    } catch (const std::exception& error) {
      reason = error.what();
    }
    if (stop.stop_requested()) {
      break;
    }
    around_.status->fail(reason);
    redis::log_warning(fmt::format("rdmasync: sync with {}:{} failed: {}; again in {} s", host_,
                                   port_, reason, pause.count()));
    std::unique_lock lock(mutex);
    retry_due.wait_for(lock, stop, pause, [] { return false; });
  }
  finished_ = true;
}

void Sync::enter(State state, const std::stop_token& stop) {
  around_.status->enter(state);
  around_.entered(state, stop);
  if (stop.stop_requested()) {
    throw Error(Errc::kCancelled, "stopped");
  }
}

void Sync::attempt(const std::stop_token& stop) {
  const std::string name = host_ + ":" + std::to_string(port_);
  around_.status->begin(host_, port_);
  enter(State::kConnecting, stop);
  redis::log_notice("rdmasync: connecting to the master " + name);
  const auto facts = on_main(stop, [&server = around_.server] { return server.facts(); });
  const MasterAddress master{host_, port_, facts.user, facts.password, facts.source};
  ControlConnection link(master, facts.timeout, stop);
  check_master(link, name, facts.run_id);

  std::unique_ptr<Relay> relay;
  const auto open_relay = [&](const protocol::CutReply& cut) {
    relay = std::make_unique<Relay>(
        master,
        Relay::Start{cut.replication_id, cut.offset, facts.listening_port, facts.relay_buffer},
        stop);
  };
  Copy copy =
      copy_dataset(link, master, facts, *around_.status,
                   {[&](State state) { enter(state, stop); }, [&link] { link.check_alive(); },
                    [&](const protocol::CutReply& cut) {
                      if (cut.moved > kQuietStream) {
                        open_relay(cut);
                      }
                    }},
                   stop);
  const protocol::CutReply cut = copy.cut;

  Handover handover(around_.server, around_.link_events, stop);
  handover.begin();
  enter(State::kLoading, stop);
  handover.load(copy.staging, cut, copy.rdb_version, facts.dump_path);
  copy.staging.reset();
  redis::log_notice("rdmasync: loaded the copy");

  enter(State::kRelaying, stop);
  // So much of the stream may be taken from the master's backlog again: little of it, for the
  // writes that come until the server's own link is there need the rest.
  const auto lag = cut.backlog / 16;
  if (!relay && moved_on(link, cut, lag)) {
    open_relay(cut);
  }
  if (relay) {
    handover.relay(*relay, lag);
  }

  enter(State::kHandover, stop);
  if (relay) {
    handover.relay_and_follow(*relay, lag, host_, port_);
  } else {
    handover.follow(host_, port_);
  }
  handover.await_link(facts.timeout);
  around_.status->enter(State::kSynced);
  redis::log_notice("rdmasync: synced with " + name + " in " + around_.status->figures() +
                    "; replication goes on natively");
}

}  // namespace rdmasync::replica

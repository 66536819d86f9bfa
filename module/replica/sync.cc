#include "module/replica/sync.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <iterator>
#include <mutex>
#include <optional>
#include <set>
#include <sstream>
#include <utility>

#include "module/redis/log.h"
#include "module/redis/rdb.h"
#include "module/replica/attach.h"
#include "module/replica/main_tasks.h"
#include "rdma/thread.h"
#include "rdmasync/protocol.h"

namespace rdmasync::replica {

namespace {

constexpr std::chrono::seconds kFirstRetry{1};
constexpr std::chrono::seconds kLastRetry{30};

// What the master's stream may move during a copy and still count as quiet: its own pings and cuts.
constexpr std::int64_t kQuietStream = 16 << 10;

double megabytes(std::uint64_t bytes) {
  return static_cast<double>(bytes) / 1e6;
}

/// The whole time of a sync and its parts.
std::string figures(const SyncStatus::Text& text) {
  std::string line = fmt::format("{:.1f} ms", text.total_ms);
  for (std::size_t i = 0; i < kStates; ++i) {
    if (text.phase_ms.at(i) == 0) {
      continue;
    }
    line += fmt::format(", {} {:.1f}", name_of(static_cast<State>(i)), text.phase_ms.at(i));
  }
  return line;
}

protocol::Position position_of(ControlConnection& link) {
  return protocol::position_from(
      fields_of(*link.command({protocol::kExportCommand, protocol::kOffset})));
}

/// A first command, so that what keeps every sync from working is said in its own words.
void check_master(ControlConnection& link, const std::string& name, const std::string& own_run_id) {
  try {
    if (position_of(link).run_id == own_run_id) {
      throw Error(Errc::kUsage, name + " is this very server itself");
    }
  } catch (const Error& error) {
    switch (error.code()) {
      case Errc::kUnknownCommand:
        throw Error(Errc::kUsage, "the master " + name +
                                      " has no rdmasync module: load it there too, with "
                                      "'loadmodule /path/to/rdmasync.so' in its redis.conf");
      case Errc::kPeerLost:  // a server that expects TLS sends an alert, or just hangs up
        throw Error(Errc::kPeerLost, std::string(error.what()) +
                                         "; if that is its tls-port: rdmasync does not use TLS, "
                                         "give the master's 'port'");
      case Errc::kLogin:
        throw Error(Errc::kUsage, "the master " + name +
                                      " wants a password: set masterauth (and masteruser) here");
      case Errc::kPermission:
        throw Error(Errc::kUsage, std::string(error.what()) +
                                      "; give masteruser +rdmasync.export +psync +replconf +ping");
      default:
        throw;
    }
  }
}

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

std::set<std::string> words_of(const std::string& text) {
  std::istringstream words(text);
  return {std::istream_iterator<std::string>(words), {}};
}

/// The names in `there` that `here` lacks, each after a space.
std::string missing_in(const std::string& here, const std::string& there) {
  const auto own = words_of(here);
  std::string missing;
  for (const std::string& name : words_of(there)) {
    if (!own.contains(name)) {
      missing += " " + name;
    }
  }
  return missing;
}

void check_databases(const Staging& staging, const OwnFacts& facts) {
  const auto& databases = staging.databases();
  const auto beyond = std::find_if(databases.begin(), databases.end(), [&](const auto& entry) {
    return entry.first >= facts.databases && !entry.second.empty();
  });
  if (beyond != databases.end()) {
    throw Error(Errc::kUsage, "the master has keys in database " + std::to_string(beyond->first) +
                                  ": raise 'databases' on this server");
  }
}

/// A value of a type that it does not know would end the server.
void check_modules(const Staging& staging, const OwnFacts& facts, const std::string& of_master) {
  const std::string missing = missing_in(facts.modules, of_master);
  if (missing.empty()) {
    return;
  }
  for (const auto& [db, keys] : staging.databases()) {
    keys.for_each([&](std::string_view key, const Incoming& incoming) {
      if (incoming.is_value()) {
        return;
      }
      // A payload may be one, too.
      const bool of_module =
          incoming.is_payload || log::entry_head(incoming.entry).type == redis::rdb::kTypeModule;
      if (!of_module) {
        return;
      }
      throw Error(Errc::kUsage,
                  "the master has values of modules' types, such as the key '" + std::string(key) +
                      "', and modules that are not loaded here:" + missing + "; load them");
    });
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
  const MasterAddress master{host_, port_, facts.user, facts.password};
  ControlConnection link(master, facts.timeout, stop);
  check_master(link, name, facts.run_id);

  enter(State::kAttaching, stop);
  auto attachment = attach(link, master, facts.fabric, {facts.rdb_version, facts.server}, stop);
  const std::string fabric(attachment.fabric->name());
  around_.status->set_fabric(fabric);
  const int rdb_version = attachment.place.rdb_version;
  const std::string master_modules = attachment.place.modules;
  redis::log_notice(fmt::format("rdmasync: attached to export {} of {} over {}",
                                attachment.place.export_number, name, fabric));

  auto staging = std::make_shared<Staging>();
  std::optional<Pull> pull;
  pull.emplace(
      std::move(attachment), *staging, facts.value_buffers, *around_.status,
      Pull::Callbacks{
          [&link](std::uint64_t position) {
            link.send({protocol::kExportCommand, protocol::kAck, std::to_string(position)});
          },
          [&link] { link.check_alive(); }, [&link] { position_of(link); }});
  const protocol::CutReply cut = pull_to_a_cut(*pull, link, stop);
  std::unique_ptr<Relay> relay;
  const auto open_relay = [&] {
    relay = std::make_unique<Relay>(
        master,
        Relay::Start{cut.replication_id, cut.offset, facts.listening_port, facts.relay_buffer},
        stop);
  };
  if (cut.moved > kQuietStream) {
    open_relay();
  }
  pull->until_cut();
  link.command({protocol::kExportCommand, protocol::kDetach});
  pull->check_whole();
  check_databases(*staging, facts);
  check_modules(*staging, facts, master_modules);
  staging->seal(pull->take_log());
  pull.reset();
  redis::log_notice(fmt::format("rdmasync: copied {} keys, {:.1f} MB; the cut is at {}:{}",
                                staging->keys(), megabytes(around_.status->read_bytes),
                                cut.replication_id, cut.offset));

  Handover handover(around_.server, around_.link_events, stop);
  handover.begin();
  enter(State::kLoading, stop);
  handover.load(staging, cut, rdb_version, facts.dump_path);
  staging.reset();
  redis::log_notice("rdmasync: loaded the copy");

  enter(State::kRelaying, stop);
  // So much of the stream may be taken from the master's backlog again: little of it, for the
  // writes that come until the server's own link is there need the rest.
  const auto lag = cut.backlog / 16;
  if (!relay && moved_on(link, cut, lag)) {
    open_relay();
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
  redis::log_notice("rdmasync: synced with " + name + " in " + figures(around_.status->text()) +
                    "; replication goes on natively");
}

protocol::CutReply Sync::pull_to_a_cut(Pull& pull, ControlConnection& link,
                                       const std::stop_token& stop) {
  for (std::uint64_t round = 1;;) {
    enter(State::kPulling, stop);
    pull.until_round(round);
    enter(State::kCutting, stop);
    auto cut = protocol::cut_reply_from(
        fields_of(*link.command({protocol::kExportCommand, protocol::kCut})));
    if (cut.again_after_round == 0) {
      around_.status->set_cut({cut.keys, cut.us, cut.forced});
      if (cut.forced) {
        redis::log_notice(
            fmt::format("rdmasync: after {} rounds the master was still written faster "
                        "than it was read: the cut took {} us of it, for {} keys",
                        round, cut.us, cut.keys));
      }
      return cut;
    }
    round = cut.again_after_round;
  }
}

}  // namespace rdmasync::replica

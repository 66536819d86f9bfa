#include "module/replica/sync.h"

#include <fmt/format.h>

#include <functional>
#include <map>
#include <thread>
#include <utility>

#include "module/protocol/psync.h"
#include "module/redis/log.h"
#include "module/replica/insert.h"
#include "module/replica/main_tasks.h"
#include "module/replica/pull.h"
#include "module/replica/stub_load.h"
#include "module/replica/suitability.h"

namespace rdmasync::replica {

namespace {

constexpr std::chrono::milliseconds kLook{20};
constexpr std::chrono::milliseconds kLookAtFiller{2};
// The master closes connections that are silent for long (its `timeout`).
constexpr std::chrono::seconds kAskAgainEvery{1};

constexpr const char* kNotLoaded = "this server has not loaded the copy: its log says why";
constexpr const char* kBacklogTooShort =
    "the master's backlog did not last until this server had loaded the copy: raise the master's "
    "repl-backlog-size";

/// Nobody waits for changes that will not come.
class Feeding {
 public:
  explicit Feeding(std::shared_ptr<Stream> stream) : stream_(std::move(stream)) {}
  Feeding(const Feeding&) = delete;
  Feeding& operator=(const Feeding&) = delete;
  ~Feeding() { stream_->fail("the sync has ended before the dataset was complete"); }

 private:
  std::shared_ptr<Stream> stream_;
};

PendingLoad::InsertPart insert_in_parts(const std::shared_ptr<const Staging>& staging,
                                        std::int64_t parts) {
  // Made, and destroyed, on the main thread.
  auto insertion = std::make_shared<std::optional<Insertion>>();
  return [=](RedisModuleCtx* client) {
    if (!*insertion) {
      insertion->emplace(staging, parts);
    }
    return (*insertion)->step(client);
  };
}

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

/// While it lives, the server loads this stub, without a file.
class Load {
 public:
  /// `insert`: of PendingLoad.
  template <typename Insert>
  Load(OwnServer& server, OwnServer::Stub how, const std::stop_token& stop,
       const std::string& session, Insert insert)
      : server_(server), permit_(on_main(stop, [&server, how] { return server.allow_stub(how); })) {
    pending_.emplace(session, std::move(insert));
  }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;
  ~Load() {
    // First: without the permit the server would load from a file.
    pending_.reset();
    redis::post_to_main([&server = server_, permit = permit_] { server.disallow_stub(permit); });
  }

  bool inserted() const { return pending_->inserted(); }
  bool refused() const { return pending_->refused(); }

 private:
  OwnServer& server_;
  std::uint64_t permit_;
  std::optional<PendingLoad> pending_;
};

Sync::Sync(ControlConnection& control, NativeLink& native, OwnLink& own,
           const MasterAddress& master, const OwnFacts& facts, const Surroundings& around,
           std::stop_token stop)
    : control_(control),
      native_(native),
      own_(own),
      master_(master),
      facts_(facts),
      around_(around),
      stop_(std::move(stop)) {}

std::string Sync::master_name() const {
  return master_.host + ":" + std::to_string(master_.port);
}

void Sync::run() {
  struct Plan {
    bool streams;
    bool lacks_master;
  };
  const auto plan = on_main(stop_, [&server = around_.server] {
    server.check_loads_beside();
    return Plan{server.may_stream(), server.lacks_master()};
  });
  // Another master would make a full sync of its own meanwhile.
  if (!own_.follows() && plan.lacks_master) {
    own_.turn_to_master(stop_);
    native_.psync_waits(NativeLink::kAwait);  // this one is told whose link it is
  }
  auto attachment = attach();
  const bool streams = plan.streams && attachment.place.fills;
  streams ? streamed(std::move(attachment)) : staged(std::move(attachment));
  wait_for_load();
  resume(*loaded_);
}

void Sync::resume(Loaded loaded) {
  loaded_ = std::move(loaded);
  if (loaded_->load) {
    wait_for_insertion();
    loaded_->load.reset();
  }
  around_.status->keys = on_main(stop_, [&server = around_.server] { return server.keys(); });
  enter(State::kContinuing);
  fill();
  // While sub-replicas are still told to wait.
  if (loaded_->begin != loaded_->cut) {
    on_main(stop_,
            [&server = around_.server, cut = loaded_->cut] { server.filler().ends_at(cut); });
  }
  continue_natively();
  enter(State::kSynced);
  redis::log_notice(fmt::format("rdmasync: synced with {} in {}; replication goes on natively",
                                master_name(), around_.status->figures()));
}

void Sync::staged(Attachment attachment) {
  const Suitability suitability(facts_, attachment.place.modules);
  const auto staging = std::make_shared<Staging>();
  const auto cut = read_to_cut(std::move(attachment), *staging);
  suitability.check(*staging);
  staging->seal();

  const std::string session = protocol::random_id();
  const std::string stub = protocol::stub_rdb(sizes_of(*staging), session, cut.stream_db);
  std::int64_t inserts = 0;
  std::shared_ptr<Load> load;
  if (facts_.in_cluster) {
    inserts = Insertion::steps_for(*staging, protocol::most_inserts(cut.offset));
    load = std::make_shared<Load>(around_.server, OwnServer::Stub::kBeside, stop_, session,
                                  insert_in_parts(staging, inserts));
  } else {
    load = std::make_shared<Load>(around_.server, OwnServer::Stub::kBeside, stop_, session,
                                  PendingLoad::Insert([staging] { insert(*staging); }));
  }
  if (!own_.follows()) {
    own_.turn_to_master(stop_);
  }
  const std::int64_t begin = answer(session, stub, inserts);
  loaded_ = {session, begin, cut.replication_id, cut.offset, load};
  enter(State::kLoading);
}

void Sync::streamed(Attachment attachment) {
  const Suitability suitability(facts_, attachment.place.modules);
  for (const auto& [db, keys] : attachment.place.keys) {
    suitability.check_database(db);
  }
  const std::string session = protocol::random_id();
  constexpr std::uint32_t kFirst = 0;  // where a master that has filler goes on
  const std::string stub = protocol::stub_rdb(attachment.place.keys, session, kFirst);
  stream_ = std::make_shared<Stream>();
  const auto load = std::make_shared<Load>(
      around_.server, OwnServer::Stub::kIntoEmpty, stop_, session,
      PendingLoad::Insert([stream = stream_, suitability] { insert(*stream, suitability); }));
  if (!own_.follows()) {
    own_.turn_to_master(stop_);
  }
  const Feeding feeding(stream_);
  constexpr std::int64_t kNoInserts = 0;
  const std::int64_t begin = answer(session, stub, kNoInserts);
  const auto cut = read_to_cut(std::move(attachment), *stream_);
  enter(State::kLoading);
  stream_->end();
  loaded_ = {session, begin, cut.replication_id, cut.offset, load};
}

Attachment Sync::attach() {
  enter(State::kAttaching);
  auto attachment = replica::attach(
      control_, master_, facts_.fabric,
      {facts_.rdb_version, facts_.server, facts_.announced_ip, facts_.listening_port}, stop_);
  const std::string fabric(attachment.fabric->name());
  around_.status->set_fabric(fabric);
  redis::log_notice(fmt::format("rdmasync: attached to export {} of {} over {}",
                                attachment.place.export_number, master_name(), fabric));
  return attachment;
}

protocol::CutReply Sync::read_to_cut(Attachment attachment, Sink& sink) {
  SyncStatus& status = *around_.status;
  Pull pull(std::move(attachment), sink, facts_.value_buffers, status,
            Pull::Callbacks{
                [this](std::uint64_t position) { control_.send(protocol::request::Ack{position}); },
                [this] { check(); }, [this] { say_hello(control_); }});
  protocol::CutReply cut;
  for (std::uint64_t round = 1; round != 0; round = cut.again_after_round) {
    enter(State::kPulling);
    pull.until_round(round);
    enter(State::kCutting);
    if (cut.asking) {
      control_.command({"ASKING"});
    }
    cut = protocol::cut_reply_from(fields_of(*control_.command(protocol::request::Cut{})));
  }
  status.set_cut({cut.keys, cut.us, cut.forced});
  pull.until_cut();
  control_.command(protocol::request::Detach{});
  redis::log_notice(
      fmt::format("rdmasync: read {} keys, {:.1f} MB; the cut is at {}:{}{}", status.keys.load(),
                  static_cast<double>(status.read_bytes) / 1e6, cut.replication_id, cut.offset,
                  cut.forced ? ", as the master was still written faster than it was read" : ""));
  return cut;
}

void Sync::check() {
  control_.check_alive();
  native_.announce();
  own_.check_is_down();
  if (stream_ && !stream_->begun() && psync_waits_again()) {
    throw Error(Errc::kResources, kNotLoaded);
  }
}

std::int64_t Sync::answer(const std::string& session, const std::string& stub,
                          std::int64_t inserts) {
  enter(State::kWaiting);
  for (;;) {
    if (native_.psync_waits(NativeLink::kAwait)) {
      const auto reply = protocol::answered_from(
          fields_of(*control_.command(protocol::request::Answer{session, stub, inserts})));
      if (reply.psync) {
        next_question_ = std::chrono::steady_clock::now() + kAskAgainEvery;
        return reply.offset;
      }
    }
    control_.check_alive();
    own_.check_is_down();
  }
}

/// What was answered was not enough. Asks the master now and then.
bool Sync::psync_waits_again() {
  if (std::chrono::steady_clock::now() < next_question_) {
    return false;
  }
  next_question_ = std::chrono::steady_clock::now() + kAskAgainEvery;
  return native_.psync_waits(NativeLink::kAtOnce);
}

void Sync::wait_for_load() {
  next_question_ = std::chrono::steady_clock::now() + kAskAgainEvery;
  while (!own_.comes_up(kLook)) {
    control_.check_alive();
    native_.announce();
    if (stream_) {
      stream_->check_not_refused();
    }
    if (psync_waits_again()) {
      throw Error(Errc::kResources, kNotLoaded);
    }
  }
}

void Sync::wait_for_insertion() {
  const auto& load = *loaded_->load;
  next_question_ = std::chrono::steady_clock::now() + kAskAgainEvery;
  while (!load.inserted()) {
    control_.check_alive();
    // Without insertions to come all is inserted by the load.
    const bool may_come = facts_.in_cluster && !load.refused() && !psync_waits_again();
    if (!may_come) {
      own_.renew(stop_);
      throw Error(Errc::kResources, "this server has not taken the whole copy: its log says why");
    }
    std::this_thread::sleep_for(kLookAtFiller);  // of an insertion nobody tells
  }
}

void Sync::fill() {
  std::int64_t at = loaded_->begin;
  const auto look = [&] {
    control_.check_alive();
    native_.announce();
    at = own_.offset(stop_).value_or(at);
    return at;
  };
  next_question_ = std::chrono::steady_clock::now() + kAskAgainEvery;
  while (look() < loaded_->cut) {
    const std::int64_t end = protocol::end_of_piece(loaded_->begin, at, loaded_->cut);
    own_.renew(stop_);
    while (look() < end) {
      check_is_continued();
      std::this_thread::sleep_for(kLookAtFiller);  // of an offset nobody tells
    }
  }
}

/// The master continues what it can at once.
void Sync::check_is_continued() {
  if (!psync_waits_again()) {
    return;
  }
  if (!say_hello(control_).has_history(loaded_->replication_id)) {
    loaded_.reset();
    throw Error(Errc::kBusy, "the master has another dataset by now");
  }
  throw Error(Errc::kResources, kBacklogTooShort);
}

void Sync::continue_natively() {
  own_.renew(stop_);
  next_question_ = std::chrono::steady_clock::now() + kAskAgainEvery;
  while (!own_.comes_up(kLook) || !own_.continues_from(loaded_->session, stop_)) {
    control_.check_alive();
    native_.announce();
    check_is_continued();
  }
}

}  // namespace rdmasync::replica

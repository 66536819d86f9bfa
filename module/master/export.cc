#include "module/master/export.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "module/fault.h"
#include "module/redis/log.h"
#include "module/redis/server.h"
#include "module/thread_cpu_time.h"
#include "rdmasync/protocol.h"

namespace rdmasync::master {

using log_format::Kind;
using redis::format;

namespace {

// A cut up to this size costs the main thread about a millisecond.
constexpr std::size_t kSmallCutKeys = 512;
constexpr std::size_t kSmallCutBytes = 4U << 20;

// Most transactions end at once: waiting for those that are open costs less than a second scan.
constexpr std::chrono::milliseconds kTransactionPatience{50};

}  // namespace

Export::Export(rdma::Fabric& fabric, std::unique_ptr<LogRing> log, Options options,
               std::function<void()> wake)
    : fabric_(fabric),
      options_(std::move(options)),
      wake_(std::move(wake)),
      ring_(std::move(log)),
      registrar_(std::make_unique<Registrar>(fabric, wake_)),
      publisher_(
          *ring_, *registrar_, options_.pinned_memory,
          [this](std::uint32_t db, std::string_view key, const Error& error) {
            if (!std::exchange(packed_only_, true)) {
              redis::log_warning(format("rdmasync: export %lu copies large values from now on: %s",
                                        static_cast<unsigned long>(options_.number), error.what()));
            }
            dirty_.mark(db, key);
          }),
      capture_(publisher_, options_.direct_threshold),
      scan_(capture_, dirty_, options_.databases),
      transactions_(capture_.select(0)) {
  ring_->progress().keys_estimated = 0;
  for (std::uint32_t db = 0; db < options_.databases; ++db) {
    const auto size = redis::call(capture_.select(db), "DBSIZE", {});
    ring_->progress().keys_estimated +=
        static_cast<std::uint64_t>(redis::CallReplyInteger(size.get()));
  }
  ring_->publish();
}

Export::~Export() {
  publisher_.retire_all();
  // Deregistering and unmapping take milliseconds: not on the main thread.
  std::thread([ring = std::move(ring_), registrar = std::move(registrar_)]() mutable {
    registrar.reset();
    ring.reset();
  }).detach();
}

bool Export::joinable() const {
  return ring_->tail() == 0 && Clock::now() < started_ + options_.join_window;
}

void Export::join(ClientId client) {
  Session session;
  session.joined_at_offset = redis::Info("replication").number("master_repl_offset");
  sessions_.emplace(client, session);
  wake_();
}

void Export::leave(ClientId client) {
  sessions_.erase(client);
  release_acknowledged();
}

void Export::acknowledge(ClientId client, std::uint64_t position) {
  Session& session = sessions_.at(client);
  if (position < session.acknowledged || position > ring_->head()) {
    throw Error(Errc::kProtocol, "the replica acknowledged a position that was never published");
  }
  session.acknowledged = position;
  session.heard = Clock::now();
  release_acknowledged();
}

std::vector<Export::ClientId> Export::stalled(std::chrono::seconds timeout) const {
  std::vector<ClientId> late;
  for (const auto& [client, session] : sessions_) {
    if (session.acknowledged < ring_->head() && session.heard + timeout < Clock::now()) {
      late.push_back(client);
    }
  }
  return late;
}

void Export::release_acknowledged() {
  // Within the join window the log is kept from its start, for those who still come.
  if (sessions_.empty() || Clock::now() < started_ + options_.join_window) return;
  const auto slowest = std::min_element(
      sessions_.begin(), sessions_.end(),
      [](const auto& a, const auto& b) { return a.second.acknowledged < b.second.acknowledged; });
  if (slowest->second.acknowledged <= ring_->tail()) return;
  publisher_.release(slowest->second.acknowledged);
  wake_();
}

void Export::pump(Clock::time_point deadline) {
  release_acknowledged();
  look_at_transactions();
  if (!scan_begun_) {
    if (transactions_.any() && Clock::now() < started_ + kTransactionPatience) return;
    scan_begun_ = true;
  }
  publisher_.advance();
  bool more = true;
  // At least one step, even if the thread had to wait for a processor until the deadline.
  while (more && !publisher_.congested()) {
    more = step();
    if (Clock::now() >= deadline) break;
  }
  publisher_.advance();
  ring_->progress().keys_scanned = scan_.keys_seen();
  ring_->publish();
  if (more && !publisher_.congested()) wake_();
}

bool Export::step() {
  if (!in_round_) return false;
  if (!scan_.done()) return scan_.step();
  if (const auto key = dirty_.next_in_round()) {
    capture_now(key->first, key->second,
                packed_only_ ? Capture::Mode::kPacked : Capture::Mode::kInPlace);
    return true;
  }
  in_round_ = false;
  RecordInfo end;
  end.kind = Kind::kRoundEnd;
  publisher_.put(end, {});
  return false;
}

void Export::look_at_transactions() {
  if (transactions_.any() && transactions_.look(capture_.select(0))) scan_again_ = scan_begun_;
}

void Export::capture_now(std::uint32_t db, const std::string& name, Capture::Mode mode) {
  const redis::String key = redis::make_string(name);
  if (capture_.capture(db, key.get(), mode) == Capture::Outcome::kAbsent) {
    capture_.tombstone(db, name);
  }
}

void Export::begin_round() {
  if (in_round_) return;
  dirty_.begin_round();
  if (std::exchange(scan_again_, false)) scan_.restart();
  in_round_ = true;
  ++rounds_;
  wake_();
}

bool Export::cut_is_small() {
  if (dirty_.size() + dirty_.silent().size() > kSmallCutKeys) return false;
  std::size_t bytes = 0;
  std::vector<DirtyKeys::Key> keys;
  dirty_.visit_all([&](std::uint32_t db, const std::string& name) {
    keys.emplace_back(db, name);
    return true;
  });
  for (const auto& [db, name] : keys) {
    bytes += capture_.string_bytes(db, redis::make_string(name).get());
  }
  return bytes <= kSmallCutBytes;
}

void Export::cut(RedisModuleCtx* ctx, ClientId client) {
  Session& session = sessions_.at(client);
  session.heard = Clock::now();
  // A partial resync sends no SELECT. So what follows the offset must begin in a known database:
  // this no-op goes first into what this command propagates, before any expiry found below.
  redis::SelectDb(ctx, 0);
  if (!planted(Fault::kNoPing)) redis::Replicate(ctx, "PING", "");

  const bool last_resort = session.refused_cuts >= options_.max_rounds;
  // A round for another replica may have published values in place that this one has yet to read:
  // behind the cut it would read what was written since.
  const bool unread_values = publisher_.has_value_behind(session.acknowledged);
  look_at_transactions();
  if (in_round_ || scan_again_ || unread_values || (!last_resort && !cut_is_small())) {
    if (!in_round_) ++session.refused_cuts;
    begin_round();
    redis::ReplyWithArray(ctx, 2);
    const std::string_view again = protocol::kCutAgain;
    redis::ReplyWithStringBuffer(ctx, again.data(), again.size());
    redis::ReplyWithLongLong(ctx, rounds_);
    return;
  }

  const auto start = thread_cpu_time();
  const std::size_t keys = dirty_.size() + dirty_.silent().size();
  capture_everything_dirty();
  const redis::Info replication("replication");
  const auto id = replication.text("master_replid");
  const auto offset = replication.number("master_repl_offset");
  const auto moved = offset - session.joined_at_offset;
  const auto backlog = replication.number("repl_backlog_size");
  last_cut_us_ = static_cast<std::uint64_t>((thread_cpu_time() - start).count());
  redis::log_notice(format("rdmasync: export %lu cut at %s:%lld with %zu keys in %lu us%s",
                           static_cast<unsigned long>(options_.number), id.c_str(),
                           static_cast<long long>(offset), keys,
                           static_cast<unsigned long>(last_cut_us_),
                           last_resort ? " (writes are faster than the copy)" : ""));

  RecordInfo mark;
  mark.kind = Kind::kCut;
  const std::uint64_t session_id = client;
  publisher_.put(mark, {reinterpret_cast<const char*>(&session_id), sizeof(session_id)});
  wake_();

  const std::string_view done = protocol::kCutDone;
  redis::ReplyWithArray(ctx, 5);
  redis::ReplyWithStringBuffer(ctx, done.data(), done.size());
  redis::ReplyWithStringBuffer(ctx, id.data(), id.size());
  redis::ReplyWithLongLong(ctx, offset);
  redis::ReplyWithLongLong(ctx, moved);
  redis::ReplyWithLongLong(ctx, backlog);
}

void Export::capture_everything_dirty() {
  dirty_.begin_round();
  while (const auto key = dirty_.next_in_round()) {
    capture_now(key->first, key->second, Capture::Mode::kPacked);
  }
  for (const auto& name : dirty_.silent()) {
    const redis::String key = redis::make_string(name);
    for (std::uint32_t db = 0; db < options_.databases; ++db) {
      capture_.capture(db, key.get(), Capture::Mode::kPacked);
    }
  }
  capture_.functions();
}

void Export::written_silently(std::string_view key) {
  if (planted(Fault::kNotSticky)) {
    for (std::uint32_t db = 0; db < options_.databases; ++db) dirty_.mark(db, key);
    return;
  }
  dirty_.mark_silent(key);
}

void Export::flushed(std::uint32_t db) {
  dirty_.flush(db);
  RecordInfo info;
  info.kind = Kind::kFlush;
  info.db = db;
  publisher_.put(info, {});
}

void Export::swapped(std::uint32_t a, std::uint32_t b) {
  dirty_.swap(a, b);
  scan_.swap(a, b);
  RecordInfo info;
  info.kind = Kind::kSwap;
  info.db = a;
  publisher_.put(info, {reinterpret_cast<const char*>(&b), sizeof(b)});
}

}  // namespace rdmasync::master

#include "module/replica/pull.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace rdmasync::replica {

using log_format::kHeaderSize;
using log_format::Kind;
using log_format::LogHeader;
using log_format::RemoteBytes;

namespace {

// The log is read in pieces so that values start to flow while more of it arrives. At least as much
// as the largest record: a ring holds an eighth of its size in one.
constexpr std::size_t kLogPiece = 4U << 20;

// Nobody tells a one-sided reader that the head has moved: it looks, less often while nothing does.
constexpr std::chrono::microseconds kHeaderPauseMin{20};
constexpr std::chrono::microseconds kHeaderPauseMax{1000};
// An acknowledgement costs the master's main thread a turn of its event loop. So there is one for
// this part of the log, or of what may be registered for values, and not one for every value.
constexpr std::size_t kAcknowledgePart = 8;
constexpr std::chrono::milliseconds kAcknowledgeEvery{100};
// Where one value takes long, the last acknowledgement is said again: the master would take the
// silence for a hang. A read that brings nothing ends by itself, so this does, too.
constexpr std::chrono::milliseconds kSignOfLife{300};

constexpr std::chrono::milliseconds kCheckEvery{50};
constexpr std::chrono::seconds kSilence{1};

}  // namespace

Pull::Pull(Attachment attachment, Sink& sink, const ValueBuffers::Options& value_buffers,
           SyncStatus& status, Callbacks callbacks)
    : attachment_(std::move(attachment)),
      sink_(sink),
      status_(status),
      callbacks_(std::move(callbacks)),
      header_(std::make_unique<LogHeader>()),
      values_(*attachment_.fabric, value_buffers),
      values_limit_(value_buffers.limit) {
  header_region_ = attachment_.fabric->register_memory(
      std::as_writable_bytes(std::span(header_.get(), 1)), rdma::Access::kLocalWrite);
}

Pull::~Pull() {
  // No read may outlive what it writes to.
  attachment_.connection.reset();
}

void Pull::until_round(std::uint64_t rounds) {
  run([this, rounds] { return rounds_ended_ >= rounds; });
}

void Pull::until_cut() {
  run([this] { return at_cut_; });
}

void Pull::run(const std::function<bool()>& there) {
  auto next_check = Clock::now();
  std::array<rdma::Completion, 64> completions;
  for (;;) {
    const bool arrived = there();
    if (arrived && values_pending_ == 0) {
      break;
    }
    if (!arrived && log_pending_ == 0 && !sink_.full()) {
      if (head_ > consumed_) {
        read_log();
      } else if (!header_pending_ && Clock::now() >= header_due_) {
        read_header();
      }
    }
    const std::size_t count = attachment_.connection->poll(completions);
    for (std::size_t i = 0; i < count; ++i) {
      complete(completions.at(i));
    }
    start_reads();
    acknowledge_if_due();
    if (Clock::now() >= next_check) {
      callbacks_.check();
      if (!arrived && Clock::now() > silent_since_ + kSilence) {
        callbacks_.check_silence();
        silent_since_ = Clock::now();
      }
      next_check = Clock::now() + kCheckEvery;
    }
    if (count == 0) {
      wait(arrived);
    }
  }
  acknowledge();
}

rdma::PartKeys Pull::log_rkeys() const {
  const std::span<const std::uint32_t> rkeys = attachment_.place.rkeys;
  return {.first = rkeys.front(),
          .further = rkeys.subspan(1),
          .part_size = attachment_.place.part_size,
          .start = attachment_.place.log_address};
}

void Pull::read_header() {
  header_pending_ = true;
  attachment_.connection->post({.id = kHeader,
                                .into = reinterpret_cast<std::byte*>(header_.get()),
                                .local = header_region_.get(),
                                .remote = attachment_.place.log_address,
                                .rkeys = log_rkeys(),
                                .length = sizeof(LogHeader)});
}

void Pull::read_log() {
  const std::uint64_t offset = consumed_ % attachment_.place.capacity;
  const std::size_t piece = std::max<std::size_t>(kLogPiece, attachment_.place.capacity / 4);
  log_pending_ =
      std::min<std::uint64_t>({head_ - consumed_, attachment_.place.capacity - offset, piece});
  log_into_ = attachment_.records->room(log_pending_);
  attachment_.connection->post({.id = kLog,
                                .into = log_into_,
                                .local = &attachment_.records->region(),
                                .remote = attachment_.place.log_address + kHeaderSize + offset,
                                .rkeys = log_rkeys(),
                                .length = log_pending_});
}

void Pull::complete(const rdma::Completion& completion) {
  if (completion.id < kFirstValue) {
    if (completion.error) {
      throw Error(*completion.error);
    }
    completion.id == kHeader ? on_header() : on_log();
    return;
  }
  Reading& done = readings_.at(completion.id - first_id_);
  if (completion.error && completion.error->code() != Errc::kAccess) {
    throw Error(*completion.error);
  }
  done.landing->state = completion.error ? Landing::State::kTorn : Landing::State::kWhole;
  sink_.landed(done.landing);
  done.landing.reset();
  done.done = true;
  values_.retire(std::move(done.region), done.source.bytes.length);
  --values_pending_;
  values_unacknowledged_ += done.source.bytes.length;
  if (!completion.error) {
    status_.read_bytes += done.source.bytes.length;
  }
  while (!readings_.empty() && readings_.front().done) {
    readings_.pop_front();
    ++first_id_;
  }
}

void Pull::on_header() {
  header_pending_ = false;
  if (header_->magic != log_format::kMagic || header_->capacity != attachment_.place.capacity) {
    throw Error(Errc::kProtocol, "the master's export log is not where it was said to be");
  }
  if (header_->head < head_ || header_->head - consumed_ > attachment_.place.capacity) {
    throw Error(Errc::kProtocol, "the master's export log has moved on without this replica");
  }
  const bool moved = header_->head > head_;
  if (moved) {
    silent_since_ = Clock::now();
  }
  head_ = header_->head;
  header_pause_ = moved ? std::chrono::microseconds{0}
                        : std::clamp(header_pause_ * 2, kHeaderPauseMin, kHeaderPauseMax);
  header_due_ = Clock::now() + header_pause_;

  const std::uint64_t scanned = std::max<std::uint64_t>(header_->keys_scanned, 1);
  const double factor =
      scanned >= header_->keys_estimated
          ? 1.0
          : static_cast<double>(header_->keys_estimated) / static_cast<double>(scanned);
  status_.total_bytes =
      static_cast<std::uint64_t>(static_cast<double>(header_->payload_bytes) * factor);
}

void Pull::on_log() {
  std::string_view left{reinterpret_cast<const char*>(log_into_), log_pending_};
  while (!at_cut_) {
    auto record = log::read_record(left, attachment_.place.part_size);
    if (!record) {
      break;  // the rest comes with the next read
    }
    left.remove_prefix(record->size);
    const std::uint64_t position = consumed_;
    consumed_ += record->size;
    consume(std::move(*record), position);
  }
  const std::size_t done = log_pending_ - left.size();
  if (done == 0) {
    throw Error(Errc::kProtocol, "the export log has a record without an end");
  }
  attachment_.records->keep(done);
  sink_.given(attachment_.records->block(), done);
  log_pending_ = 0;
  status_.keys = sink_.keys();
}

void Pull::consume(log::Record record, std::uint64_t position) {
  switch (record.kind) {
    case Kind::kPad:
      break;
    case Kind::kPacked:
    case Kind::kPayload:
    case Kind::kPart:
    case Kind::kDirect:
    case Kind::kFunctions: {
      Incoming incoming;
      incoming.is_payload = record.kind == Kind::kPayload;
      incoming.entry = record.entry;
      if (record.remote) {
        incoming.landing = std::make_shared<Landing>();
        incoming.landing->is_value = record.kind == Kind::kDirect;
        incoming.landing->meta = record.meta;
        fetch(position, std::move(*record.remote), incoming.landing);
      } else {
        status_.read_bytes += record.entry.size();
      }
      if (record.kind == Kind::kFunctions) {
        sink_.set_functions(incoming.entry, incoming.landing);
      } else if (record.kind == Kind::kPart) {
        sink_.add_part(record.db, record.key, std::move(incoming));
      } else {
        sink_.put(record.db, record.key, std::move(incoming));
      }
      break;
    }
    case Kind::kTombstone:
      sink_.erase(record.db, record.key);
      break;
    case Kind::kFlush:
      sink_.flush(record.db);
      break;
    case Kind::kSwap:
      sink_.swap(record.db, record.other_db);
      break;
    case Kind::kCut:
      at_cut_ = record.session == attachment_.place.session;
      break;
    case Kind::kRoundEnd:
      ++rounds_ended_;
      status_.rounds = rounds_ended_;
      break;
  }
}

void Pull::fetch(std::uint64_t position, log::Remote source, std::shared_ptr<Landing> landing) {
  const std::uint64_t id = first_id_ + readings_.size();
  values_.request(id, source.bytes.length, landing);
  readings_.push_back({position, std::move(landing), std::move(source), nullptr});
  ++values_pending_;
}

void Pull::start_reads() {
  for (ValueBuffers::Ready& ready : values_.take()) {
    if (ready.error) {
      throw Error(*ready.error);
    }
    Reading& reading = readings_.at(ready.id - first_id_);
    reading.region = std::move(ready.region);
    const RemoteBytes& remote = reading.source.bytes;
    attachment_.connection->post({.id = ready.id,
                                  .into = ready.into,
                                  .local = reading.region.get(),
                                  .remote = remote.address,
                                  .rkeys = {.first = remote.rkey,
                                            .further = reading.source.further_rkeys,
                                            .part_size = attachment_.place.part_size,
                                            .start = remote.address},
                                  .length = remote.length});
  }
}

std::uint64_t Pull::position() const {
  return readings_.empty() ? consumed_ : readings_.front().position;
}

void Pull::acknowledge_if_due() {
  const bool much = position() - acknowledged_ >= attachment_.place.capacity / kAcknowledgePart ||
                    values_unacknowledged_ >= values_limit_ / kAcknowledgePart;
  // The master may have stopped publishing until it hears that there is room.
  const bool idle = consumed_ == head_ && log_pending_ == 0 && values_pending_ == 0;
  const auto now = Clock::now();
  if (much || idle || now >= acknowledge_due_) {
    acknowledge();
  }
  if (values_pending_ > 0 && now >= sign_of_life_due_) {
    say_acknowledged();
  }
}

void Pull::acknowledge() {
  if (position() <= acknowledged_) {
    return;
  }
  acknowledged_ = position();
  values_unacknowledged_ = 0;
  acknowledge_due_ = Clock::now() + kAcknowledgeEvery;
  say_acknowledged();
}

void Pull::say_acknowledged() {
  sign_of_life_due_ = Clock::now() + kSignOfLife;
  callbacks_.acknowledge(acknowledged_);
}

void Pull::wait(bool for_values) {
  auto pause = std::chrono::nanoseconds(kCheckEvery);
  const bool full = sink_.full();
  if (!for_values && !header_pending_ && log_pending_ == 0 && !full) {
    pause = std::clamp<std::chrono::nanoseconds>(header_due_ - Clock::now(),
                                                 std::chrono::nanoseconds{0}, pause);
  }
  std::array<pollfd, 3> ready = {pollfd{attachment_.connection->fd(), POLLIN, 0},
                                 pollfd{values_.fd(), POLLIN, 0},
                                 pollfd{full ? sink_.room_fd() : -1, POLLIN, 0}};
  const timespec timeout{pause.count() / 1'000'000'000, pause.count() % 1'000'000'000};
  ::ppoll(ready.data(), ready.size(), &timeout, nullptr);
}

}  // namespace rdmasync::replica

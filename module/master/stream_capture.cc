#include "module/master/stream_capture.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "module/log/stream_part.h"
#include "module/redis/context.h"
#include "module/redis/key_meta.h"
#include "module/redis/stream_groups.h"
#include "module/redis/stream_iterator.h"

namespace rdmasync::master {

using log_format::Part;
using redis::StreamId;

namespace {

// To read one that is pending takes as long as to dump so many entries.
constexpr std::size_t kEntriesOfPending = 40;
constexpr std::size_t kFewPending = 256;

constexpr StreamId kBeyondAll{std::numeric_limits<std::uint64_t>::max(),
                              std::numeric_limits<std::uint64_t>::max()};

Streams::Extent extent_of(RedisModuleKey* key) {
  using redis::StreamIterator;
  const auto first = StreamIterator(key, {}, StreamIterator::Order::kForward).next();
  const auto last = StreamIterator(key, {}, StreamIterator::Order::kBackward).next();
  return {first.value_or(kBeyondAll), last.value_or(StreamId{})};
}

}  // namespace

StreamCapture::StreamCapture(Capture& capture, Streams& streams, PartSize size)
    : capture_(capture),
      streams_(streams),
      size_(size),
      possible_(redis::knows_streams(redis::module_context())) {}

bool StreamCapture::takes(RedisModuleKey* key) const {
  return possible_ && redis::KeyType(key) == redis::kTypeStream && !redis::has_attachments(key);
}

bool StreamCapture::add(std::uint32_t db, std::string_view name) {
  return !refused_.contains({db, std::string(name)}) && streams_.add(db, name);
}

bool StreamCapture::capture_next(const Streams::Key& which) {
  const redis::String name = redis::make_string(which.second);
  Capture::KeyFacts facts;
  Streams::Piece piece;
  log::StreamHead head;
  StreamId to;
  std::size_t length = 0;
  {
    const redis::Key key{redis::OpenKey(capture_.select(which.first), name.get(),
                                        redis::kKeyRead | redis::kKeyNoTouch)};
    // To look may have found it expired.
    if (!streams_.knows(which)) {
      return true;
    }
    if (!key || redis::KeyType(key.get()) != redis::kTypeStream) {
      return false;
    }
    facts = capture_.look_at(key.get());
    length = redis::ValueLength(key.get());
    piece = streams_.next_piece(which, extent_of(key.get()));
    if (!piece.groups) {
      head = piece.head;
      // A command that was named may not have run.
      std::erase_if(head.gone, [&](const StreamId& id) { return redis::has_entry(key.get(), id); });
      to = read(key.get(), piece);
    }
  }
  if (piece.groups || head.begins) {
    const bool all = capture_groups(which, facts.meta, length, piece.groups);
    capture_.undo_touch(name.get(), facts.uses);
    if (!all || !streams_.knows(which)) {
      return !streams_.knows(which);
    }
  }
  if (!piece.groups) {
    capture_.put_part(which, facts.meta, Part::kStream, log::stream_head(head), bytes_);
  }
  streams_.published(which, piece, to);
  return true;
}

StreamId StreamCapture::read(RedisModuleKey* key, const Streams::Piece& piece) {
  bytes_.clear();
  redis::StreamIterator entries(key, piece.after, redis::StreamIterator::Order::kForward);
  StreamId to = piece.until;
  std::size_t count = 0;
  while (const auto id = entries.next()) {
    if (*id > piece.until) {
      return piece.until;
    }
    log::append_stream_entry(bytes_, {.id = *id, .fields = entries.fields()});
    if (++count >= size_.elements || bytes_.size() >= PartSize::kBytes) {
      return *id;
    }
  }
  return to;
}

bool StreamCapture::capture_groups(const Streams::Key& which, const log::KeyMeta& meta,
                                   std::size_t length, bool publish) {
  RedisModuleCtx* const ctx = capture_.select(which.first);
  try {
    const std::size_t pending = redis::pending_entries(ctx, which.second);
    if (pending > std::max(kFewPending, length / kEntriesOfPending)) {
      refused_.insert(which);
      return false;
    }
    if (publish) {
      const auto groups = redis::stream_groups(ctx, which.second, pending);
      capture_.put_part(which, meta, Part::kStreamEnd,
                        log::stream_end({.last = groups.last,
                                         .added = groups.added,
                                         .max_deleted = groups.max_deleted,
                                         .payload = groups.payload}),
                        {});
    }
    return true;
  } catch (const Error& error) {
    if (error.code() != Errc::kRefused) {
      throw;
    }
    return false;  // it has expired
  }
}

}  // namespace rdmasync::master

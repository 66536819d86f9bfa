#include "module/master/streams.h"

#include <algorithm>

#include "module/fault.h"
#include "rdmasync/log_format.h"

namespace rdmasync::master {

using redis::StreamId;

namespace {

// More than that, and reading all of the stream again costs about as much.
constexpr std::size_t kMostGone = 64U << 10;

// Of a part.
constexpr std::size_t kGoneOfPiece = 1024;

StreamId after(const StreamId& id) {
  return id.sequence == UINT64_MAX ? StreamId{id.ms + 1, 0} : StreamId{id.ms, id.sequence + 1};
}

}  // namespace

bool Streams::add(std::uint32_t db, std::string_view name) {
  if (stopped_) {
    return false;
  }
  const Key key{db, name};
  forget(db, name);
  known_.emplace(key, Stream{});
  unread_.insert(key);
  return true;
}

void Streams::forget(std::uint32_t db, std::string_view name) {
  if (!any()) {
    return;
  }
  const Key key{db, name};
  known_.erase(key);
  unread_.erase(key);
  changed_.erase(key);
  round_.erase(key);
}

void Streams::swap(std::uint32_t a, std::uint32_t b) {
  swap_databases(known_, a, b);
  swap_databases(unread_, a, b);
  swap_databases(changed_, a, b);
  swap_databases(round_, a, b);
  // Readers of groups that were blocked may be served now, and nothing tells of which stream.
  for (const auto& [key, stream] : known_) {
    if (key.first == a || key.first == b) {
      changed_.insert(key);
    }
  }
}

void Streams::flush(std::uint32_t db) {
  const auto is_of_it = [db](const Key& key) {
    return db == log_format::kAllDatabases || key.first == db;
  };
  std::erase_if(known_, [&](const auto& entry) { return is_of_it(entry.first); });
  std::erase_if(unread_, is_of_it);
  std::erase_if(changed_, is_of_it);
  std::erase_if(round_, is_of_it);
}

std::vector<Streams::Key> Streams::stop() {
  std::set<Key> left;
  for (std::set<Key>* const keys : {&unread_, &changed_, &round_}) {
    left.merge(*keys);
  }
  stopped_ = true;
  flush(log_format::kAllDatabases);
  return {left.begin(), left.end()};
}

bool Streams::written(const KeyNameView& key, const NamedChange* change) {
  const auto known = known_.find(key);
  Stream& stream = known->second;
  const bool of_time = change != nullptr && change->elements.empty() && !change->list;
  bool all_named = change != nullptr && (change->stream || of_time);
  for (const std::string& element : all_named ? change->elements : std::vector<std::string>{}) {
    const auto id = redis::stream_id(element);
    all_named = all_named && id;
    if (id && stream.to && *id <= *stream.to && !planted(Fault::kElementForgotten)) {
      stream.gone.insert(*id);
    }
  }
  if (!all_named || stream.gone.size() > kMostGone) {
    forget(key.first, key.second);
    return false;
  }
  changed_.insert(known->first);
  return true;
}

void Streams::groups_written(const KeyNameView& key) {
  if (!planted(Fault::kGroupsForgotten)) {
    changed_.insert(known_.find(key)->first);
  }
}

void Streams::begin_round() {
  round_.merge(changed_);
  changed_.clear();
  for (const Key& key : round_) {
    known_.at(key).until.reset();
  }
}

std::optional<Streams::Key> Streams::next_in_round() const {
  return round_.empty() ? std::nullopt : std::optional(*round_.begin());
}

Streams::Piece Streams::next_piece(const Key& key, const Extent& now) {
  Stream& stream = known_.at(key);
  if (!stream.until) {
    stream.until = now.last;
    stream.entries_left = true;
  }
  if (!stream.entries_left) {
    return {.groups = true};
  }
  // What is added later to one that is empty now comes after all that was published.
  const bool empty = now.last < now.first;
  const StreamId first = !empty ? now.first : stream.to ? after(*stream.to) : StreamId{};
  stream.gone.erase(stream.gone.begin(), stream.gone.lower_bound(first));
  Piece piece{.head = {.begins = !stream.begun, .first = first},
              .after = stream.to,
              .until = *stream.until};
  const auto count = static_cast<std::ptrdiff_t>(std::min(kGoneOfPiece, stream.gone.size()));
  piece.head.gone.assign(stream.gone.begin(), std::next(stream.gone.begin(), count));
  return piece;
}

void Streams::published(const Key& key, const Piece& piece, const StreamId& to) {
  const auto known = known_.find(key);
  if (known == known_.end()) {
    return;
  }
  if (piece.groups) {
    unread_.erase(key);
    round_.erase(key);
    return;
  }
  Stream& stream = known->second;
  stream.begun = true;
  for (const StreamId& id : piece.head.gone) {
    stream.gone.erase(id);
  }
  stream.to = std::max(to, stream.to.value_or(to));
  stream.entries_left = *stream.to < *stream.until || !stream.gone.empty();
}

std::size_t Streams::changes() const {
  std::size_t count = 0;
  for (const std::set<Key>* const keys : {&changed_, &round_}) {
    for (const Key& key : *keys) {
      count += 1 + known_.at(key).gone.size();
    }
  }
  return count;
}

}  // namespace rdmasync::master

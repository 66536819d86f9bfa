#include "module/replica/unfinished_streams.h"

#include <algorithm>

#include "rdmasync/error.h"

namespace rdmasync::replica {

UnfinishedStreams::Unfinished& UnfinishedStreams::find(const Key& key) {
  const auto found = streams_.find(key);
  if (found == streams_.end()) {
    throw Error(Errc::kProtocol, "the export log has a part of a stream that has not begun");
  }
  return found->second;
}

void UnfinishedStreams::add_entries(const Key& key, const log::StreamHead& head,
                                    std::string_view entries) {
  if (head.begins) {
    streams_.insert_or_assign(key, Unfinished{});
  }
  Unfinished& stream = find(key);
  stream.first = std::max(stream.first, head.first);
  stream.gone.insert(head.gone.begin(), head.gone.end());
  stream.gone.erase(stream.gone.begin(), stream.gone.lower_bound(stream.first));
  while (!stream.parts.empty() && stream.parts.front().last < stream.first) {
    stream.parts.pop_front();
  }
  redis::rdb::Reader from(entries);
  std::optional<redis::StreamId> last;
  while (const auto entry = log::take_stream_entry(from)) {
    last = entry->id;
  }
  if (last) {
    stream.parts.push_back({*last, std::string(entries)});
  }
}

void UnfinishedStreams::add_end(const Key& key, const log::KeyMeta& meta,
                                const log::StreamEnd& end) {
  Unfinished& stream = find(key);
  stream.meta = meta;
  stream.payload = end.payload;
  stream.end = end;
  stream.end.payload = {};
}

void UnfinishedStreams::forget(std::uint32_t db, std::string_view name) {
  if (any()) {
    streams_.erase({db, std::string(name)});
  }
}

void UnfinishedStreams::flush(std::uint32_t db) {
  std::erase_if(streams_, [db](const auto& entry) { return entry.first.first == db; });
}

void UnfinishedStreams::swap(std::uint32_t a, std::uint32_t b) {
  decltype(streams_) swapped;
  for (auto& [key, stream] : streams_) {
    const std::uint32_t db = key.first == a ? b : key.first == b ? a : key.first;
    swapped.emplace(Key{db, key.second}, std::move(stream));
  }
  streams_ = std::move(swapped);
}

std::pair<UnfinishedStreams::Key, UnfinishedStreams::Unfinished> UnfinishedStreams::take() {
  auto node = streams_.extract(streams_.begin());
  return {node.key(), std::move(node.mapped())};
}

}  // namespace rdmasync::replica

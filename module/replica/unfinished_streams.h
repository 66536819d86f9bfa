#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "module/log/entry.h"
#include "module/log/stream_part.h"

namespace rdmasync::replica {

/// Streams that come in parts, put together aside: a server takes a stream's groups as they are
/// only together with the stream, and what they are is known at the end. Main thread.
class UnfinishedStreams {
 public:
  using Key = std::pair<std::uint32_t, std::string>;

  struct Part {
    redis::StreamId last;  ///< of its entries
    std::string entries;
  };
  struct Unfinished {
    std::deque<Part> parts;
    redis::StreamId first;           ///< entries before it have gone,
    std::set<redis::StreamId> gone;  ///< and these
    log::KeyMeta meta;
    log::StreamEnd end;  ///< without the payload
    std::string payload;
  };

  bool any() const { return !streams_.empty(); }
  /// Throw Error(kProtocol) for a part that no master sends, or of a stream that has not begun.
  void add_entries(const Key& key, const log::StreamHead& head, std::string_view entries);
  void add_end(const Key& key, const log::KeyMeta& meta, const log::StreamEnd& end);
  void forget(std::uint32_t db, std::string_view name);
  void flush(std::uint32_t db);
  void swap(std::uint32_t a, std::uint32_t b);

  /// One of them, which is none any more.
  std::pair<Key, Unfinished> take();

 private:
  Unfinished& find(const Key& key);

  std::map<Key, Unfinished> streams_;
};

}  // namespace rdmasync::replica

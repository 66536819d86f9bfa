#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "module/master/capture.h"
#include "module/master/part_size.h"
#include "module/master/streams.h"

namespace rdmasync::master {

/// Publishes large streams in parts: the next slice of one, or what has changed. Main thread only.
class StreamCapture {
 public:
  StreamCapture(Capture& capture, Streams& streams, PartSize size);

  /// Whether a value of this kind can be published in parts.
  bool takes(RedisModuleKey* key) const;
  /// Makes the key one that is, from now on.
  bool add(std::uint32_t db, std::string_view name);

  /// Publishes what comes next of one that is unread or in this round. False if the key is not the
  /// one any more that it was, or so much is pending that a dump is quicker: it is to be published
  /// as a whole.
  bool capture_next(const Streams::Key& which);

 private:
  /// Entries, as many as there is room for in a part, into bytes_. Returns up to which it is then.
  redis::StreamId read(RedisModuleKey* key, const Streams::Piece& piece);
  /// Its groups, or, without `publish`, only whether they can be. False if not.
  bool capture_groups(const Streams::Key& which, const log::KeyMeta& meta, std::size_t length,
                      bool publish);

  Capture& capture_;
  Streams& streams_;
  PartSize size_;
  bool possible_;                     ///< on this server
  std::set<Streams::Key> refused_{};  ///< of which too much is pending
  std::string bytes_;                 ///< reused
};

}  // namespace rdmasync::master

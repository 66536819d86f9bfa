#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "module/redis/rdb.h"
#include "module/redis/stream_id.h"

/// What a part of a stream says: which entries go, and then entries that come.
namespace rdmasync::log {

using redis::StreamId;

/// The head of a part of a stream.
struct StreamHead {
  bool begins = false;              ///< what the key was before is no more
  StreamId first = {};              ///< entries before this one go
  std::vector<StreamId> gone = {};  ///< and these
};

struct StreamEntry {
  StreamId id = {};
  std::vector<std::string_view> fields = {};  ///< names and values in turn
};

/// What there is of a stream besides its entries, after all of those.
struct StreamEnd {
  StreamId last = {};
  std::uint64_t added = 0;  ///< entries, ever
  StreamId max_deleted = {};
  std::string_view payload = {};  ///< for RESTORE: a stream without entries, with its groups
};

std::string stream_head(const StreamHead& head);
void append_stream_entry(std::string& out, const StreamEntry& entry);

std::string stream_end(const StreamEnd& end);

/// They throw Error(kProtocol) for what those above have not made.
StreamHead take_stream_head(redis::rdb::Reader& from);
/// Nothing after the last. The fields are part of what is read from.
std::optional<StreamEntry> take_stream_entry(redis::rdb::Reader& from);
StreamEnd take_stream_end(redis::rdb::Reader& from);

}  // namespace rdmasync::log

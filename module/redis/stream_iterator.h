#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "module/redis/owned.h"
#include "module/redis/stream_id.h"

namespace rdmasync::redis {

/// The entries of a stream, in the order of their ids. Main thread; the key stays open meanwhile.
class StreamIterator {
 public:
  enum class Order { kForward, kBackward };
  /// Those after that one, or all; the key is a stream.
  StreamIterator(RedisModuleKey* key, const std::optional<StreamId>& after, Order order);
  StreamIterator(const StreamIterator&) = delete;
  StreamIterator& operator=(const StreamIterator&) = delete;
  ~StreamIterator() { StreamIteratorStop(key_); }

  std::optional<StreamId> next();
  /// Names and values of the last one, in turn, until next() is called again. Once for each.
  std::vector<std::string_view> fields();

 private:
  RedisModuleKey* key_;
  long fields_left_ = 0;
  std::vector<String> held_;
};

bool has_entry(RedisModuleKey* stream, const StreamId& id);

/// Adds an entry that comes after all others to the stream. `fields`: names and values in turn.
/// Throws Error(kRefused).
void stream_add(RedisModuleKey* key, const StreamId& id,
                const std::vector<std::string_view>& fields);

}  // namespace rdmasync::redis

#include "module/redis/stream_iterator.h"

#include <cerrno>

#include "rdmasync/error.h"

namespace rdmasync::redis {

StreamIterator::StreamIterator(RedisModuleKey* key, const std::optional<StreamId>& after,
                               Order order)
    : key_(key) {
  RedisModuleStreamID from{after ? after->ms : 0, after ? after->sequence : 0};
  const int flags =
      (after ? kStreamExclusive : 0) | (order == Order::kBackward ? kStreamReverse : 0);
  if (StreamIteratorStart(key, flags, after ? &from : nullptr, nullptr) != kOk) {
    throw Error(Errc::kRefused, "the server does not read a stream");
  }
}

std::optional<StreamId> StreamIterator::next() {
  held_.clear();
  RedisModuleStreamID id{};
  if (StreamIteratorNextID(key_, &id, &fields_left_) != kOk) {
    return std::nullopt;
  }
  return StreamId{id.ms, id.seq};
}

std::vector<std::string_view> StreamIterator::fields() {
  std::vector<std::string_view> views;
  for (; fields_left_ > 0; --fields_left_) {
    RedisModuleString* name = nullptr;
    RedisModuleString* value = nullptr;
    if (StreamIteratorNextField(key_, &name, &value) != kOk) {
      break;
    }
    for (RedisModuleString* const one : {name, value}) {
      views.push_back(view(held_.emplace_back(one).get()));
    }
  }
  return views;
}

bool has_entry(RedisModuleKey* stream, const StreamId& id) {
  RedisModuleStreamID only{id.ms, id.sequence};
  if (StreamIteratorStart(stream, 0, &only, &only) != kOk) {
    throw Error(Errc::kRefused, "the server does not read a stream");
  }
  long fields = 0;
  const bool found = StreamIteratorNextID(stream, &only, &fields) == kOk;
  StreamIteratorStop(stream);
  return found;
}

void stream_add(RedisModuleKey* key, const StreamId& id,
                const std::vector<std::string_view>& fields) {
  std::vector<String> held;
  std::vector<RedisModuleString*> words;
  words.reserve(fields.size());
  for (const std::string_view field : fields) {
    words.push_back(held.emplace_back(make_string(field)).get());
  }
  RedisModuleStreamID where{id.ms, id.sequence};
  if (StreamAdd(key, 0, &where, words.data(), static_cast<long>(words.size() / 2)) != kOk) {
    throw Error(Errc::kRefused, "the server does not take an entry of a stream");
  }
}

}  // namespace rdmasync::redis

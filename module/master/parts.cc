#include "module/master/parts.h"

#include <chrono>
#include <utility>

#include "module/redis/commands_called.h"
#include "module/redis/context.h"
#include "module/redis/owned.h"
#include "module/redis/server.h"
#include "module/unix_time.h"

namespace rdmasync::master {

namespace {

// On the fastest of machines.
constexpr std::chrono::microseconds kLeastOfAnElement{1};

/// Of those that go in parts if they are large.
bool is_collection(RedisModuleKey* key) {
  const int type = redis::KeyType(key);
  return type == redis::kTypeHash || type == redis::kTypeSet || type == redis::kTypeZset ||
         type == redis::kTypeList || type == redis::kTypeStream;
}

}  // namespace

Parts::Parts(Capture& capture, PartialKeys& strings, std::size_t least)
    : capture_(capture),
      strings_(strings),
      size_(least),
      measures_(redis::has(redis::module_context(), redis::kMemory)),
      collection_capture_(capture_, collections_, size_),
      list_capture_(capture_, lists_, size_),
      stream_capture_(capture_, streams_, size_) {}

bool Parts::any_named(std::string_view name) const {
  return strings_.any_named(name) || collections_.any_named(name) || lists_.any_named(name) ||
         streams_.any_named(name);
}

redis::Key Parts::open(std::uint32_t db, RedisModuleString* name) {
  return redis::Key{
      redis::OpenKey(capture_.select(db), name, redis::kKeyRead | redis::kKeyNoTouch)};
}

bool Parts::is_large(RedisModuleKey* key, std::size_t bytes) const {
  return size_.is_large(redis::ValueLength(key), bytes) &&
         (collection_capture_.takes(key) || list_capture_.takes(key) || stream_capture_.takes(key));
}

std::size_t Parts::bytes_of(std::uint32_t db, std::string_view name, std::size_t elements) {
  if (!measures_ || !size_.may_be_long(elements)) {
    return 0;
  }
  const redis::Reply bytes =
      redis::call(capture_.select(db), redis::kMemory, {"USAGE", name, "SAMPLES", "5"});
  return redis::CallReplyType(bytes.get()) == redis::kReplyInteger
             ? static_cast<std::size_t>(redis::CallReplyInteger(bytes.get()))
             : 0;
}

std::size_t Parts::bytes_of(std::uint32_t db, RedisModuleString* name) {
  std::size_t elements = 0;
  if (const redis::Key key = open(db, name); key && is_collection(key.get())) {
    elements = redis::ValueLength(key.get());
  }
  // Closed first: the command may find it expired and free it.
  return bytes_of(db, redis::view(name), elements);
}

bool Parts::add(std::uint32_t db, std::string_view name, RedisModuleKey* key) {
  return is_collection(key) &&
         add_if(is_large(key, bytes_of(db, name, redis::ValueLength(key))), db, name, key);
}

bool Parts::add(std::uint32_t db, RedisModuleString* name) {
  const std::size_t bytes = bytes_of(db, name);
  const redis::Key key = open(db, name);
  return key && add_if(is_large(key.get(), bytes), db, redis::view(name), key.get());
}

bool Parts::add_if(bool large, std::uint32_t db, std::string_view name, RedisModuleKey* key) {
  const bool added =
      large && ((collection_capture_.takes(key) && collection_capture_.add(db, name, key)) ||
                (list_capture_.takes(key) && list_capture_.add(db, name, key)) ||
                (stream_capture_.takes(key) && stream_capture_.add(db, name)));
  if (added) {
    why_whole_.erase({db, std::string(name)});
  }
  return added;
}

std::optional<std::size_t> Parts::large(std::uint32_t db, RedisModuleString* name) {
  const std::size_t bytes = bytes_of(db, name);
  const redis::Key key = open(db, name);
  return key && is_large(key.get(), bytes) ? std::optional(redis::ValueLength(key.get()))
                                           : std::nullopt;
}

void Parts::forget(std::uint32_t db, std::string_view name) {
  if (!follows({db, name})) {
    return;
  }
  strings_.forget(db, name);
  collections_.forget(db, name);
  lists_.forget(db, name);
  streams_.forget(db, name);
}

void Parts::swap(std::uint32_t a, std::uint32_t b) {
  strings_.swap(a, b);
  collections_.swap(a, b);
  lists_.swap(a, b);
  streams_.swap(a, b);
  swap_databases(why_whole_, a, b);
}

void Parts::flush(std::uint32_t db) {
  strings_.flush(db);
  collections_.flush(db);
  lists_.flush(db);
  streams_.flush(db);
  std::erase_if(why_whole_, [db](const auto& entry) {
    return db == log_format::kAllDatabases || entry.first.first == db;
  });
}

void Parts::stop(const Whole& whole) {
  for (const auto& left : {strings_.stop(), collections_.stop(), lists_.stop(), streams_.stop()}) {
    for (const auto& [db, name] : left) {
      whole(db, name);
    }
  }
}

bool Parts::follows(const KeyNameView& key) const {
  return strings_.knows(key) || collections_.knows(key) || lists_.knows(key) || streams_.knows(key);
}

bool Parts::written(std::uint32_t db, std::string_view name, const NamedChange* change,
                    std::string_view by) {
  const KeyNameView key{db, name};
  if (!follows(key)) {
    return false;
  }
  if (written_as_named(db, name, change)) {
    return true;
  }
  why_whole_.insert_or_assign(KeyName(key), std::string(by));
  return false;
}

std::string Parts::why_whole(std::uint32_t db, const std::string& name) const {
  const auto found = why_whole_.find(KeyNameView{db, name});
  return found == why_whole_.end()
             ? ""
             : ", as a write by " + found->second + " did not tell of which elements";
}

bool Parts::written_as_named(std::uint32_t db, std::string_view name, const NamedChange* change) {
  if (lists_.knows({db, name})) {
    return written_list(db, name, change);
  }
  if (streams_.knows({db, name})) {
    return streams_.written({db, name}, change);
  }
  const bool of_list = change != nullptr && change->list;
  const NamedChange* const other = of_list ? nullptr : change;
  return strings_.written(db, name, other) || collections_.written(db, name, other, unix_time_ms());
}

bool Parts::written_list(std::uint32_t db, std::string_view name, const NamedChange* change) {
  if (change != nullptr) {
    const redis::String key_name = redis::make_string(name);
    const redis::Key key{
        redis::OpenKey(capture_.select(db), key_name.get(), redis::kKeyRead | redis::kKeyNoTouch)};
    const bool is_list = key && redis::KeyType(key.get()) == redis::kTypeList;
    // To look may have found it expired.
    if (is_list && lists_.knows({db, name})) {
      return lists_.written({db, name}, *change, redis::ValueLength(key.get()));
    }
  }
  lists_.forget(db, name);
  return false;
}

bool Parts::groups_written(std::uint32_t db, std::string_view name) {
  if (!streams_.knows({db, name})) {
    return false;
  }
  streams_.groups_written({db, name});
  return true;
}

void Parts::read_on(const Whole& whole) {
  if (collections_.any_unread()) {
    const auto key = collections_.next_unread();
    if (!collection_capture_.read_on(key)) {
      collections_.forget(key.first, key.second);
      whole(key.first, key.second);
    }
  } else if (lists_.any_unread()) {
    capture_list(lists_.next_unread(), whole);
  } else {
    capture_stream(streams_.next_unread(), whole);
  }
}

void Parts::begin_round() {
  strings_.begin_round();
  collections_.begin_round();
  lists_.begin_round();
  streams_.begin_round();
}

bool Parts::capture_next(const Whole& whole) {
  if (const auto changed = strings_.next_in_round()) {
    capture(*changed, whole);
    return true;
  }
  if (const auto changed = collections_.next_in_round(size_.elements)) {
    capture(*changed, whole);
    return true;
  }
  if (const auto list = lists_.next_in_round()) {
    capture_list(*list, whole);
    return true;
  }
  if (const auto stream = streams_.next_in_round()) {
    capture_stream(*stream, whole);
    return true;
  }
  return false;
}

bool Parts::capture_all(CutBudget& budget, const Whole& whole) {
  begin_round();
  while (const auto changed = strings_.next_in_round()) {
    if (!budget.allows(Capture::expected_cost(*changed))) {
      strings_.put_back(*changed);
      return false;
    }
    capture(*changed, whole);
  }
  while (auto changed = collections_.next_in_round(size_.elements)) {
    if (!budget.allows(kLeastOfAnElement * changed->elements.size())) {
      collections_.put_back(std::move(*changed));
      return false;
    }
    capture(*changed, whole);
  }
  while (const auto list = lists_.next_in_round()) {
    if (!budget.allows(kLeastOfAnElement * size_.elements)) {
      return false;
    }
    capture_list(*list, whole);
  }
  while (const auto stream = streams_.next_in_round()) {
    if (!budget.allows(kLeastOfAnElement * size_.elements)) {
      return false;
    }
    capture_stream(*stream, whole);
  }
  return true;
}

void Parts::capture(const PartialKeys::Changed& changed, const Whole& whole) {
  if (!capture_.capture_changed(changed)) {
    strings_.forget(changed.key.first, changed.key.second);
    whole(changed.key.first, changed.key.second);
  }
}

void Parts::capture(const Collections::Changed& changed, const Whole& whole) {
  if (!collection_capture_.capture_changed(changed)) {
    collections_.forget(changed.key.first, changed.key.second);
    whole(changed.key.first, changed.key.second);
  }
}

void Parts::capture_list(const KeyName& list, const Whole& whole) {
  if (!list_capture_.capture_next(list)) {
    lists_.forget(list.first, list.second);
    whole(list.first, list.second);
  }
}

void Parts::capture_stream(const KeyName& stream, const Whole& whole) {
  if (!stream_capture_.capture_next(stream)) {
    streams_.forget(stream.first, stream.second);
    whole(stream.first, stream.second);
  }
}

std::size_t Parts::changes() const {
  return strings_.changed_keys() + collections_.changed_elements() + lists_.changes() +
         streams_.changes();
}

}  // namespace rdmasync::master

#include "module/master/collection_capture.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "module/fault.h"
#include "module/redis/context.h"
#include "module/redis/rdb.h"
#include "module/redis/server.h"
#include "rdmasync/error.h"

namespace rdmasync::master {

using log_format::Part;

CollectionCapture::CollectionCapture(Capture& capture, Collections& collections, PartSize size)
    : capture_(capture),
      collections_(collections),
      size_(size),
      fields_end_(redis::rdb_version(redis::module_context()) >= redis::rdb::kFieldTimesSince),
      hashes_(!fields_end_ || redis::has(redis::module_context(), redis::kHpexpiretime)) {}

std::optional<Part> CollectionCapture::part_of(RedisModuleKey* key) {
  switch (redis::KeyType(key)) {
    case redis::kTypeHash:
      return Part::kHash;
    case redis::kTypeSet:
      return Part::kSet;
    case redis::kTypeZset:
      return Part::kZset;
    default:
      return std::nullopt;
  }
}

bool CollectionCapture::takes(RedisModuleKey* key) const {
  const auto part = part_of(key);
  return part && (part != Part::kHash || hashes_) && !redis::has_attachments(key);
}

bool CollectionCapture::add(std::uint32_t db, std::string_view name, RedisModuleKey* key) {
  const auto part = part_of(key);
  Collections::Collection collection{.part = *part};
  if (*part == Part::kZset) {
    collection.place = std::make_unique<RankedPlace>();
  } else {
    collection.cursor.reset(redis::ScanCursorCreate());
  }
  return collections_.add(db, name, std::move(collection));
}

bool CollectionCapture::read_slice(Collections::Collection& collection, RedisModuleKey* key) {
  const auto on_element = [](RedisModuleKey*, RedisModuleString* name, RedisModuleString* value,
                             void* data) {
    auto* self = static_cast<CollectionCapture*>(data);
    try {
      self->slice_.push_back({redis::hold(name), value ? redis::hold(value) : redis::String{}});
      self->slice_bytes_ += redis::view(name).size() + (value ? redis::view(value).size() : 0);
    } catch (...) {
      self->failure_ = std::current_exception();  // not through the server's frames
    }
  };
  slice_.clear();
  slice_bytes_ = 0;
  bool more = true;
  while (more && slice_.size() < size_.elements && slice_bytes_ < PartSize::kBytes) {
    more = redis::ScanKey(key, collection.cursor.get(), on_element, this) != 0;
    if (failure_) {
      std::rethrow_exception(std::exchange(failure_, nullptr));
    }
  }
  return more;
}

bool CollectionCapture::find_place(const Collections::Key& which) {
  const auto& [db, name] = which;
  std::vector<std::string_view> arguments{name};
  for (const auto& member : collections_.find(which)->place->last) {
    arguments.push_back(member.name);
  }
  const bool begun = arguments.size() > 1;
  const auto scores = begun ? read(db, redis::kZmscore, arguments) : redis::Reply{};
  auto* const collection = collections_.find(which);
  if (collection == nullptr || (begun && !scores)) {
    return false;
  }
  RankedPlace& place = *collection->place;
  place.moved = false;
  // All that is unread comes after each of these that is where it was.
  for (std::size_t i = place.last.size(); i-- > 0;) {
    if (redis::view(redis::CallReplyArrayElement(scores.get(), i)) != place.last[i].score) {
      continue;
    }
    const auto rank = read(db, redis::kZrevrank, {name, place.last[i].name});
    if (rank && redis::CallReplyType(rank.get()) == redis::kReplyInteger) {
      place.rank = static_cast<std::size_t>(redis::CallReplyInteger(rank.get())) + 1;
      return true;
    }
  }
  if (begun) {
    collection->place.reset();
    collection->cursor.reset(redis::ScanCursorCreate());
  }
  return true;
}

bool CollectionCapture::read_ranked(const Collections::Key& which) {
  const auto& [db, name] = which;
  const std::size_t first = collections_.find(which)->place->rank;
  const auto members = read(db, redis::kZrange,
                            {name, std::to_string(first),
                             std::to_string(first + size_.elements - 1), "REV", "WITHSCORES"});
  auto* const collection = collections_.find(which);
  if (collection == nullptr || !members) {
    return false;
  }
  RankedPlace& place = *collection->place;
  place.last.clear();
  const std::size_t count = redis::CallReplyLength(members.get()) / 2;
  for (std::size_t i = 0; i < count; ++i) {
    const auto member = redis::view(redis::CallReplyArrayElement(members.get(), 2 * i));
    const auto score = redis::view(redis::CallReplyArrayElement(members.get(), 2 * i + 1));
    place.last.push_back({std::string(member), std::string(score)});
  }
  place.rank += count;
  return true;
}

bool CollectionCapture::read_members(const Collections::Key& which) {
  if (collections_.find(which)->place->moved && !find_place(which)) {
    return false;
  }
  const auto* const collection = collections_.find(which);
  return collection != nullptr && (!collection->place || read_ranked(which));
}

bool CollectionCapture::read_on(const Collections::Key& which) {
  const auto& [db, name] = which;
  const redis::String key_name = redis::make_string(name);
  Capture::KeyFacts facts;
  bool ranked = false;
  bool more = false;
  {
    const redis::Key key{
        redis::OpenKey(capture_.select(db), key_name.get(), redis::kKeyRead | redis::kKeyNoTouch)};
    // To look may have found it expired.
    auto* const collection = collections_.find(which);
    if (collection == nullptr) {
      return true;
    }
    if (!key || part_of(key.get()) != collection->part) {
      return false;
    }
    facts = capture_.look_at(key.get());
    ranked = collection->place != nullptr;
    if (!ranked) {
      more = read_slice(*collection, key.get());
    }
  }
  std::vector<log::Element> elements;
  if (ranked) {
    const bool read = read_members(which);
    capture_.undo_touch(key_name.get(), facts.uses);
    const auto* const collection = collections_.find(which);
    if (collection == nullptr || !read) {
      return collection == nullptr;
    }
    if (!collection->place) {
      return true;  // its place was not found: from the beginning, next time
    }
    for (const auto& member : collection->place->last) {
      elements.push_back({.name = member.name, .value = member.score});
    }
    more = elements.size() == size_.elements;
  } else {
    for (const auto& [field, value] : slice_) {
      elements.push_back(
          {.name = redis::view(field.get()), .value = value ? redis::view(value.get()) : ""});
    }
  }
  if (!elements.empty() && !publish(which, facts, std::move(elements))) {
    return false;
  }
  if (!more) {
    collections_.all_read(which);
  }
  return true;
}

bool CollectionCapture::capture_changed(const Collections::Changed& changed) {
  const auto& [db, name] = changed.key;
  const redis::String key_name = redis::make_string(name);
  Capture::KeyFacts facts;
  Part part{};
  {
    const redis::Key key{
        redis::OpenKey(capture_.select(db), key_name.get(), redis::kKeyRead | redis::kKeyNoTouch)};
    auto* const collection = collections_.find(changed.key);
    if (collection == nullptr) {
      return true;
    }
    if (!key || part_of(key.get()) != collection->part) {
      return false;
    }
    part = collection->part;
    facts = capture_.look_at(key.get());
  }
  std::vector<log::Element> elements;
  const redis::Reply values = changed.elements.empty() ? redis::Reply{} : values_of(changed, part);
  if (!values && !changed.elements.empty()) {
    return false;
  }
  for (std::size_t i = 0; i < changed.elements.size(); ++i) {
    RedisModuleCallReply* value = redis::CallReplyArrayElement(values.get(), i);
    log::Element element{.name = changed.elements[i]};
    if (part == Part::kSet) {
      element.gone = redis::CallReplyInteger(value) == 0;
    } else {
      element.gone = redis::CallReplyType(value) != redis::kReplyString;
      element.value = redis::view(value);
    }
    elements.push_back(element);
  }
  if (!changed.elements.empty()) {
    capture_.undo_touch(key_name.get(), facts.uses);
  }
  return publish(changed.key, facts, std::move(elements));
}

redis::Reply CollectionCapture::values_of(const Collections::Changed& changed, Part part) {
  const auto& [db, name] = changed.key;
  std::vector<std::string_view> arguments{name};
  arguments.insert(arguments.end(), changed.elements.begin(), changed.elements.end());
  const auto& command = part == Part::kHash  ? redis::kHmget
                        : part == Part::kSet ? redis::kSmismember
                                             : redis::kZmscore;
  return read(db, command, arguments);
}

/// Null if a cluster's server does not let this client read it.
redis::Reply CollectionCapture::read(std::uint32_t db, const redis::CalledCommand& command,
                                     const std::vector<std::string_view>& arguments) {
  try {
    return redis::call(capture_.select(db), command, std::span<const std::string_view>(arguments));
  } catch (const Error&) {
    if (!redis::in_cluster()) {
      throw;
    }
    return {};
  }
}

/// Fills in when the fields of a hash end. False if it is not one of ours any more.
bool CollectionCapture::add_times(const Collections::Key& key, const Capture::KeyFacts& facts,
                                  std::vector<log::Element>& elements) {
  const auto& [db, name] = key;
  std::vector<std::string_view> arguments;
  for (const log::Element& element : elements) {
    if (!element.gone) {
      arguments.push_back(element.name);
    }
  }
  if (arguments.empty() || planted(Fault::kNoFieldTimes)) {
    return true;
  }
  const std::string count = std::to_string(arguments.size());
  arguments.insert(arguments.begin(), {name, "FIELDS", count});
  const auto times = read(db, redis::kHpexpiretime, arguments);
  if (!times) {
    return false;
  }
  capture_.undo_touch(redis::make_string(name).get(), facts.uses);
  constexpr long long kNoField = -2;
  std::size_t i = 0;
  for (log::Element& element : elements) {
    if (element.gone) {
      continue;
    }
    const auto at = redis::CallReplyInteger(redis::CallReplyArrayElement(times.get(), i++));
    if (at == kNoField) {
      element.gone = true;
    } else if (at >= 0) {
      element.expire_at_ms = at;
      if (!collections_.ends(key, element.name, at)) {
        return false;
      }
    }
  }
  return true;
}

bool CollectionCapture::publish(const Collections::Key& key, const Capture::KeyFacts& facts,
                                std::vector<log::Element> elements) {
  if (fields_end_ && facts.type == redis::kTypeHash && !add_times(key, facts, elements)) {
    return false;
  }
  auto* const collection = collections_.find(key);
  if (collection == nullptr) {
    return true;
  }
  bytes_.clear();
  for (const log::Element& element : elements) {
    log::append_element(bytes_, collection->part, element);
  }
  const char flags = std::exchange(collection->published, true) ? 0 : log_format::kBegins;
  capture_.put_part(key, facts.meta, collection->part, {&flags, 1}, bytes_);
  return true;
}

}  // namespace rdmasync::master

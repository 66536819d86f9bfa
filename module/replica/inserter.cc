#include "module/replica/inserter.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

#include "module/fault.h"
#include "module/log/list_part.h"
#include "module/redis/context.h"
#include "module/redis/guard.h"
#include "module/redis/key_meta.h"
#include "module/redis/rdb.h"
#include "module/redis/server.h"
#include "module/redis/stream_iterator.h"
#include "rdmasync/error.h"
#include "rdmasync/number.h"

namespace rdmasync::replica {

using log_format::Part;

namespace {

constexpr redis::HeldSettings::Client kHolder = 1;  // no client: there is only one
// How long clients wait for an answer, which is that the server loads.
constexpr std::chrono::milliseconds kTurnEvery{5};
// Between two looks at the clock, where a key counts as one, and so do an element and so many
// bytes.
constexpr std::size_t kWork = 256;
constexpr std::size_t kBytesOfWork = 1024;
constexpr std::size_t kBytesOfElement = 32;

bool g_remember = false;
std::unordered_map<std::string, std::uint64_t> g_addresses;

std::string remembered_name(std::uint32_t db, std::string_view key) {
  return std::to_string(db) + ":" + std::string(key);
}

std::size_t bytes_of(const Incoming& incoming) {
  return incoming.landing ? incoming.landing->bytes.size() : incoming.entry.size();
}

std::size_t work_of_elements(std::size_t bytes) {
  return 1 + bytes / kBytesOfElement;
}

/// As the server itself writes it: such a string is kept as a number.
bool is_integer(std::string_view value) {
  constexpr std::size_t kMostDigits = 20;
  if (value.empty() || value.size() > kMostDigits) {
    return false;
  }
  const auto number = to_number<std::int64_t>(value);
  return number && std::to_string(*number) == value;
}

}  // namespace

// A callback's own context has no client, and so no database.
Inserter::Inserter(Turns turns) : own_(redis::make_context()), turns_(turns) {
  if ((redis::GetContextFlags(own_.get()) & redis::kCtxAsyncLoading) != 0) {
    turns_ = Turns::kNone;
  }
  g_addresses.clear();
  if (turns_ == Turns::kYield) {
    make_yielders();
  }
  silence_.hold(redis::module_context(), kHolder, {{"notify-keyspace-events", ""}});
}

Inserter::~Inserter() {
  redis::event_guard("notify-keyspace-events", [this] { silence_.release(kHolder); });
}

/// Each has to wait for a turn of the server's timer first: one in which that is fast.
void Inserter::make_yielders() {
  redis::HeldSettings fast;
  fast.hold(redis::module_context(), kHolder, {{"hz", "500"}});
  std::generate(yielders_.begin(), yielders_.end(), redis::make_context);
  fast.release(kHolder);
}

void Inserter::call_for(RedisModuleCtx* client) {
  client_ = client;
  db_.reset();
}

void Inserter::select(std::uint32_t db) {
  if (db == db_) {
    return;
  }
  if (redis::SelectDb(ctx(), static_cast<int>(db)) != redis::kOk) {
    throw Error(Errc::kUsage, "this server has no database " + std::to_string(db));
  }
  db_ = db;
}

void Inserter::put(std::string_view key, const Incoming& incoming) {
  streams_.forget(db_.value(), key);
  if (incoming.is_value()) {
    direct(key, incoming);
  } else {
    packed(incoming);
  }
}

void Inserter::add_part(std::string_view key, const Incoming& part) {
  const auto head = log::entry_head(part.entry);
  switch (static_cast<Part>(head.type)) {
    case Part::kBytes:
      add_bytes(key, part, head);
      break;
    case Part::kHash:
    case Part::kSet:
    case Part::kZset:
      add_elements(key, part, head);
      break;
    case Part::kList:
      add_to_list(key, part, head);
      break;
    case Part::kStream:
    case Part::kStreamEnd:
      add_to_stream(key, part, head);
      return worked(work_of_part(part));
    default:
      throw Error(Errc::kProtocol, "the export log has a part of an unknown kind");
  }
  changed(key, head.meta, log::begins(part.entry));
  worked(work_of_part(part));
}

void Inserter::changed(std::string_view key, const log::KeyMeta& meta, bool loaded) {
  const redis::String name = redis::make_string(key);
  const redis::Key opened{redis::OpenKey(ctx(), name.get(), redis::kKeyRead | redis::kKeyWrite)};
  if (redis::KeyType(opened.get()) != redis::kTypeEmpty) {
    redis::set_expiry(opened.get(), meta.expire_at_ms);
    redis::set_meta(opened.get(), meta);
  }
  if (loaded) {
    redis::NotifyKeyspaceEvent(ctx(), redis::kNotifyLoaded, "loaded", name.get());
  }
}

void Inserter::add_bytes(std::string_view key, const Incoming& part, const log::EntryHead& head) {
  redis::rdb::Reader rest(part.entry.substr(head.size));
  const std::uint64_t begin = rest.little_endian();
  const std::uint64_t length = rest.little_endian();
  const std::string_view bytes =
      part.landing ? std::string_view(part.landing->bytes) : rest.take(rest.left());
  const redis::String name = redis::make_string(key);
  const redis::Key opened{redis::OpenKey(ctx(), name.get(), redis::kKeyRead | redis::kKeyWrite)};
  if (begin > length || bytes.size() > length - begin ||
      redis::KeyType(opened.get()) != redis::kTypeString ||
      redis::ValueLength(opened.get()) > length) {
    throw Error(Errc::kProtocol, "the export log has a part that fits no value");
  }
  if (redis::ValueLength(opened.get()) < length) {
    redis::StringTruncate(opened.get(), length);
  }
  std::size_t size = 0;
  char* value = redis::StringDMA(opened.get(), &size, redis::kKeyRead | redis::kKeyWrite);
  std::copy(bytes.begin(), bytes.end(), value + begin);
}

void Inserter::add_elements(std::string_view key, const Incoming& part,
                            const log::EntryHead& head) {
  redis::rdb::Reader rest(part.entry.substr(head.size));
  if (rest.take(1).front() == log_format::kBegins && !planted(Fault::kFormerLife)) {
    erase(key);
  }
  const auto kind = static_cast<Part>(head.type);
  log::Elements elements(
      kind, part.landing ? std::string_view(part.landing->bytes) : rest.take(rest.left()));
  if (kind == Part::kZset) {
    return add_members(key, elements);
  }
  std::vector<std::string_view> there{key};
  std::vector<std::string_view> gone{key};
  std::vector<std::pair<std::string_view, std::int64_t>> ending;
  while (const auto element = elements.next()) {
    if (element->gone) {
      gone.push_back(element->name);
      continue;
    }
    there.push_back(element->name);
    if (kind == Part::kHash) {
      there.push_back(element->value);
    }
    if (element->expire_at_ms != log_format::kNoExpiry) {
      ending.emplace_back(element->name, element->expire_at_ms);
    }
  }
  call_with(kind == Part::kHash ? redis::kHset : redis::kSadd, there);
  call_with(kind == Part::kHash ? redis::kHdel : redis::kSrem, gone);
  for (const auto& [field, at_ms] : ending) {
    redis::call(ctx(), redis::kHpexpireat, {key, std::to_string(at_ms), "FIELDS", "1", field});
  }
}

/// Of a sorted set. Not by a command, which would read the text of each score again, and slowly.
void Inserter::add_members(std::string_view key, log::Elements elements) {
  const redis::String name = redis::make_string(key);
  const redis::Key opened{redis::OpenKey(ctx(), name.get(), redis::kKeyRead | redis::kKeyWrite)};
  while (const auto element = elements.next()) {
    const redis::String member = redis::make_string(element->name);
    const auto score = to_double(element->value);
    const bool done =
        element->gone
            ? redis::ZsetRem(opened.get(), member.get(), nullptr) == redis::kOk
            : score && redis::ZsetAdd(opened.get(), *score, member.get(), nullptr) == redis::kOk;
    if (!done) {
      throw Error(Errc::kProtocol, "the export log has a member that fits no sorted set");
    }
  }
}

void Inserter::add_to_list(std::string_view key, const Incoming& part, const log::EntryHead& head) {
  using Place = log::ListElement::Place;
  redis::rdb::Reader rest(part.entry.substr(head.size));
  const log::ListHead change = log::take_list_head(rest);
  if (change.begins && !planted(Fault::kFormerLife)) {
    erase(key);
  }
  if (change.from_left != 0 || change.from_right != 0) {
    redis::call(
        ctx(), redis::kLtrim,
        {key, std::to_string(change.from_left), "-" + std::to_string(change.from_right + 1)});
  }
  std::vector<std::string_view> left{key};
  std::vector<std::string_view> right{key};
  redis::rdb::Reader elements(part.landing ? std::string_view(part.landing->bytes)
                                           : rest.take(rest.left()));
  while (const auto element = log::take_list_element(elements)) {
    if (element->place == Place::kInPlace) {
      redis::call(ctx(), redis::kLset, {key, std::to_string(element->index), element->value});
    } else {
      (element->place == Place::kLeftEnd ? left : right).push_back(element->value);
    }
  }
  call_with(redis::kLpush, left);
  call_with(redis::kRpush, right);
}

void Inserter::add_to_stream(std::string_view key, const Incoming& part,
                             const log::EntryHead& head) {
  redis::rdb::Reader rest(part.entry.substr(head.size));
  const UnfinishedStreams::Key name{db_.value(), std::string(key)};
  if (static_cast<Part>(head.type) == Part::kStreamEnd) {
    return streams_.add_end(name, head.meta, log::take_stream_end(rest));
  }
  const log::StreamHead change = log::take_stream_head(rest);
  if (change.begins && !planted(Fault::kFormerLife)) {
    erase(key);
  }
  streams_.add_entries(
      name, change, part.landing ? std::string_view(part.landing->bytes) : rest.take(rest.left()));
}

bool Inserter::finish_streams() {
  if (!finishing_ && !streams_.any()) {
    return false;
  }
  if (!finishing_) {
    finishing_ = streams_.take();
    select(finishing_->first.first);
    restore(finishing_->first.second, {}, finishing_->second.payload);
    return true;
  }
  const auto& [db, name] = finishing_->first;
  auto& stream = finishing_->second;
  select(db);
  if (!stream.parts.empty()) {
    append_to_stream(name, stream);
    stream.parts.pop_front();
  } else {
    // What it has had besides those entries.
    redis::call(
        ctx(), redis::kXsetid,
        {name, redis::to_text(stream.end.last), "ENTRIESADDED", std::to_string(stream.end.added),
         "MAXDELETEDID", redis::to_text(stream.end.max_deleted)});
    changed(name, stream.meta, true);
    finishing_.reset();
  }
  return true;
}

void Inserter::append_to_stream(std::string_view name,
                                const UnfinishedStreams::Unfinished& stream) {
  const std::string& bytes = stream.parts.front().entries;
  {
    const redis::String key_name = redis::make_string(name);
    const redis::Key key{redis::OpenKey(ctx(), key_name.get(), redis::kKeyRead | redis::kKeyWrite)};
    redis::rdb::Reader entries(bytes);
    while (const auto entry = log::take_stream_entry(entries)) {
      if (entry->id >= stream.first && !stream.gone.contains(entry->id)) {
        redis::stream_add(key.get(), entry->id, entry->fields);
      }
    }
  }
  worked(work_of_elements(bytes.size()));
}

/// If there is more than the key.
void Inserter::call_with(const redis::CalledCommand& command,
                         const std::vector<std::string_view>& arguments) {
  if (arguments.size() > 1) {
    redis::call(ctx(), command, std::span<const std::string_view>(arguments));
  }
}

void Inserter::erase(std::string_view key) {
  streams_.forget(db_.value(), key);
  const redis::String name = redis::make_string(key);
  const redis::Key opened{redis::OpenKey(ctx(), name.get(), redis::kKeyRead | redis::kKeyWrite)};
  redis::UnlinkKey(opened.get());
}

void Inserter::flush() {
  streams_.flush(db_.value());
  redis::call(ctx(), redis::kFlushDb, {"ASYNC"});
}

void Inserter::swap(std::uint32_t a, std::uint32_t b) {
  streams_.swap(a, b);
  redis::call(ctx(), redis::kSwapDb, {std::to_string(a), std::to_string(b)});
}

void Inserter::direct(std::string_view key, const Incoming& incoming) {
  Landing& landing = *incoming.landing;
  const redis::String name = redis::make_string(key);
  set(name.get(), landing.value.get(), landing.meta);
  if (g_remember) {
    g_addresses[remembered_name(db_.value(), key)] =
        reinterpret_cast<std::uint64_t>(redis::view(landing.value.get()).data());
  }
  // The keyspace has it now; a second reference would make the first write to it copy it.
  landing.value.reset();
  inserted(name.get(), incoming);
}

void Inserter::packed(const Incoming& incoming) {
  const auto head = log::entry_head(incoming.entry);
  const redis::String name = redis::make_string(head.key);
  if (incoming.is_payload) {
    restore(head.key, head.meta, value_of(incoming, head));
  } else {
    redis::rdb::Reader rest(incoming.entry.substr(head.size));
    const std::uint64_t length = rest.length();
    const std::string_view value =
        incoming.landing ? std::string_view(incoming.landing->bytes) : rest.take(length);
    set(name.get(), redis::make_string(value).get(), head.meta);
  }
  inserted(name.get(), incoming);
}

void Inserter::set(RedisModuleString* name, RedisModuleString* value, const log::KeyMeta& meta) {
  const bool as_number = is_integer(redis::view(value));
  if (as_number) {
    redis::set(ctx(), redis::view(name), redis::view(value));
  }
  const redis::Key key{redis::OpenKey(ctx(), name, redis::kKeyRead | redis::kKeyWrite)};
  if (!as_number) {
    redis::StringSet(key.get(), value);
  }
  redis::set_meta(key.get(), meta);
}

void Inserter::restore(std::string_view key, const log::KeyMeta& meta, std::string_view payload) {
  const auto expire_at = std::to_string(std::max<std::int64_t>(meta.expire_at_ms, 0));
  const auto recency = std::to_string(meta.recency);
  const bool idle = meta.recency_kind == log_format::Recency::kIdle;
  if (meta.recency_kind == log_format::Recency::kNone) {
    redis::call(ctx(), redis::kRestore, {key, expire_at, payload, "REPLACE", "ABSTTL"});
  } else {
    redis::call(
        ctx(), redis::kRestore,
        {key, expire_at, payload, "REPLACE", "ABSTTL", idle ? "IDLETIME" : "FREQ", recency});
  }
}

void Inserter::functions(std::string_view payload) {
  if (!payload.empty()) {
    redis::call(ctx(), redis::kFunction, {"RESTORE", payload, "FLUSH"});
  }
}

void Inserter::inserted(RedisModuleString* name, const Incoming& incoming) {
  redis::NotifyKeyspaceEvent(ctx(), redis::kNotifyLoaded, "loaded", name);
  worked(work_of(incoming));
}

void Inserter::worked(std::size_t work) {
  work_ += work;
  if (work_ >= kWork) {
    work_ = 0;
    give_turn();
  }
}

void Inserter::give_turn() {
  const auto now = Clock::now();
  if (turns_ == Turns::kNone || now < next_turn_) {
    return;
  }
  redis::Yield(yielders_.at(next_yielder_).get(), redis::kYieldClients, nullptr);
  next_yielder_ = (next_yielder_ + 1) % yielders_.size();
  next_turn_ = Clock::now() + kTurnEvery;
}

std::size_t work_of(const Incoming& incoming) {
  return 1 + (incoming.is_value() ? 0 : bytes_of(incoming) / kBytesOfWork);
}

std::size_t work_of_part(const Incoming& part) {
  return work_of_elements(bytes_of(part));
}

std::uint64_t linked_address(std::uint32_t db, std::string_view key) {
  const auto found = g_addresses.find(remembered_name(db, key));
  return found == g_addresses.end() ? 0 : found->second;
}

void remember_linked_addresses(bool on) {
  g_remember = on;
}

}  // namespace rdmasync::replica

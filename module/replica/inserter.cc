#include "module/replica/inserter.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

#include "module/fault.h"
#include "module/log/elements.h"
#include "module/log/list_part.h"
#include "module/redis/context.h"
#include "module/redis/guard.h"
#include "module/redis/key_meta.h"
#include "module/redis/rdb.h"
#include "module/redis/server.h"
#include "rdmasync/error.h"
#include "rdmasync/number.h"

namespace rdmasync::replica {

using log_format::Part;

namespace {

constexpr redis::HeldSettings::Client kHolder = 1;  // no client: there is only one
// How long clients wait for an answer, which is that the server loads.
constexpr std::chrono::milliseconds kTurnEvery{5};
// Between two looks at the clock, where a key counts as one, and so do so many bytes.
constexpr std::size_t kWork = 256;
constexpr std::size_t kBytesOfWork = 1024;

bool g_remember = false;
std::unordered_map<std::string, std::uint64_t> g_addresses;

std::string remembered_name(std::uint32_t db, std::string_view key) {
  return std::to_string(db) + ":" + std::string(key);
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

/// What puts elements into a collection, and what takes them out.
std::pair<const redis::CalledCommand&, const redis::CalledCommand&> commands_of(Part part) {
  switch (part) {
    case Part::kHash:
      return {redis::kHset, redis::kHdel};
    case Part::kSet:
      return {redis::kSadd, redis::kSrem};
    default:
      return {redis::kZadd, redis::kZrem};
  }
}

}  // namespace

// A callback's own context has no client, and so no database.
Inserter::Inserter(Turns turns) : own_(redis::make_context()), turns_(turns) {
  if ((redis::GetContextFlags(own_.get()) & redis::kCtxAsyncLoading) != 0) {
    turns_ = Turns::kNone;
  }
  g_addresses.clear();
  std::generate(yielders_.begin(), yielders_.end(), redis::make_context);
  silence_.hold(redis::module_context(), kHolder, {{"notify-keyspace-events", ""}});
}

Inserter::~Inserter() {
  redis::event_guard("notify-keyspace-events", [this] { silence_.release(kHolder); });
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
    default:
      throw Error(Errc::kProtocol, "the export log has a part of an unknown kind");
  }
  const redis::String name = redis::make_string(key);
  const redis::Key opened{redis::OpenKey(ctx(), name.get(), redis::kKeyRead | redis::kKeyWrite)};
  if (redis::KeyType(opened.get()) != redis::kTypeEmpty) {
    redis::set_expiry(opened.get(), head.meta.expire_at_ms);
    redis::set_meta(opened.get(), head.meta);
  }
  if (log::begins(part.entry)) {
    redis::NotifyKeyspaceEvent(ctx(), redis::kNotifyLoaded, "loaded", name.get());
  }
  worked(part);
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
  std::vector<std::string_view> there{key};
  std::vector<std::string_view> gone{key};
  std::vector<std::pair<std::string_view, std::int64_t>> ending;
  while (const auto element = elements.next()) {
    if (element->gone) {
      gone.push_back(element->name);
      continue;
    }
    if (kind == Part::kZset) {
      there.push_back(element->value);
    }
    there.push_back(element->name);
    if (kind == Part::kHash) {
      there.push_back(element->value);
    }
    if (element->expire_at_ms != log_format::kNoExpiry) {
      ending.emplace_back(element->name, element->expire_at_ms);
    }
  }
  const auto& [add, remove] = commands_of(kind);
  call_with(add, there);
  call_with(remove, gone);
  for (const auto& [field, at_ms] : ending) {
    redis::call(ctx(), redis::kHpexpireat, {key, std::to_string(at_ms), "FIELDS", "1", field});
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

/// If there is more than the key.
void Inserter::call_with(const redis::CalledCommand& command,
                         const std::vector<std::string_view>& arguments) {
  if (arguments.size() > 1) {
    redis::call(ctx(), command, std::span<const std::string_view>(arguments));
  }
}

void Inserter::erase(std::string_view key) {
  const redis::String name = redis::make_string(key);
  const redis::Key opened{redis::OpenKey(ctx(), name.get(), redis::kKeyRead | redis::kKeyWrite)};
  redis::UnlinkKey(opened.get());
}

void Inserter::flush() {
  redis::call(ctx(), redis::kFlushDb, {"ASYNC"});
}

void Inserter::swap(std::uint32_t a, std::uint32_t b) {
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
    restore(head, value_of(incoming, head));
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

void Inserter::restore(const log::EntryHead& head, std::string_view payload) {
  const auto& meta = head.meta;
  const auto expire_at = std::to_string(std::max<std::int64_t>(meta.expire_at_ms, 0));
  const auto recency = std::to_string(meta.recency);
  const bool idle = meta.recency_kind == log_format::Recency::kIdle;
  if (meta.recency_kind == log_format::Recency::kNone) {
    redis::call(ctx(), redis::kRestore, {head.key, expire_at, payload, "REPLACE", "ABSTTL"});
  } else {
    redis::call(
        ctx(), redis::kRestore,
        {head.key, expire_at, payload, "REPLACE", "ABSTTL", idle ? "IDLETIME" : "FREQ", recency});
  }
}

void Inserter::functions(std::string_view payload) {
  if (!payload.empty()) {
    redis::call(ctx(), redis::kFunction, {"RESTORE", payload, "FLUSH"});
  }
}

void Inserter::inserted(RedisModuleString* name, const Incoming& incoming) {
  redis::NotifyKeyspaceEvent(ctx(), redis::kNotifyLoaded, "loaded", name);
  worked(incoming);
}

void Inserter::worked(const Incoming& incoming) {
  work_ += work_of(incoming);
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
  const std::size_t bytes = incoming.is_value() ? 0
                            : incoming.landing  ? incoming.landing->bytes.size()
                                                : incoming.entry.size();
  return 1 + bytes / kBytesOfWork;
}

std::uint64_t linked_address(std::uint32_t db, std::string_view key) {
  const auto found = g_addresses.find(remembered_name(db, key));
  return found == g_addresses.end() ? 0 : found->second;
}

void remember_linked_addresses(bool on) {
  g_remember = on;
}

}  // namespace rdmasync::replica

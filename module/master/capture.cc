#include "module/master/capture.h"

#include <algorithm>
#include <utility>

#include "module/fault.h"
#include "module/redis/context.h"
#include "module/redis/rdb.h"
#include "module/redis/server.h"
#include "module/thread_cpu_time.h"

namespace rdmasync::master {

using log_format::Kind;

namespace {

/// Strings of at least so many bytes are always raw: servers embed shorter ones in their object
/// (Redis up to 44 bytes, Valkey more), and integers have at most 20 digits. StringDMA() would
/// re-encode those for good.
std::size_t always_raw_from() {
  return redis::Info("server").text("server_name") == "valkey" ? 128 : 45;
}

// Measured with a million short elements: 16 ns (list) to 430 ns (hash) for each.
constexpr std::chrono::nanoseconds kDumpOfAnElement{400};
// Into memory that nobody has touched.
constexpr std::size_t kCopiedInAMicrosecond = 1000;  // bytes
constexpr std::chrono::microseconds kLongDump{1000};

log_format::Recency recency_of_policy(std::string_view policy) {
  if (policy.find("lfu") != std::string_view::npos) {
    return log_format::Recency::kFrequency;
  }
  if (policy.find("lru") != std::string_view::npos) {
    return log_format::Recency::kIdle;
  }
  return log_format::Recency::kNone;
}

}  // namespace

Capture::Capture(Publisher& publisher, PartialKeys& partial, const Options& options)
    : context_(redis::make_context()),
      in_cluster_(redis::in_cluster()),
      publisher_(publisher),
      partial_(partial),
      options_(options),
      recency_kind_(recency_of_policy(redis::config_get(context_.get(), "maxmemory-policy"))),
      raw_from_(always_raw_from()) {}

RedisModuleCtx* Capture::select(std::uint32_t db) {
  redis::SelectDb(context(), static_cast<int>(db));
  return context();
}

Capture::KeyFacts Capture::look_at(RedisModuleKey* key) const {
  const int type = redis::KeyType(key);
  const redis::Uses uses = redis::uses_of(key);
  return {type, type == redis::kTypeString && !redis::has_attachments(key), redis::ValueLength(key),
          uses, redis::meta_of(key, uses, recency_kind_)};
}

/// Which a server's fault can leave (docs/servers.md), and which nothing restores.
bool Capture::is_empty_hash(const KeyFacts& facts) {
  return facts.type == redis::kTypeHash && facts.length == 0;
}

Capture::Outcome Capture::capture(std::uint32_t db, RedisModuleString* name, Mode mode) {
  KeyFacts facts;
  {
    const redis::Key key{redis::OpenKey(select(db), name, redis::kKeyRead | redis::kKeyNoTouch)};
    if (!key || redis::KeyType(key.get()) == redis::kTypeEmpty) {
      return not_found(db, name);
    }
    facts = look_at(key.get());
    if (is_empty_hash(facts)) {
      return Outcome::kAbsent;
    }
    if (publish_string(db, redis::view(name), key.get(), facts, mode)) {
      return Outcome::kPublished;
    }
  }
  // Closed first: the command below may find the key expired and free it.
  return publish_by_command(db, name, facts);
}

Capture::Outcome Capture::not_found(std::uint32_t db, RedisModuleString* name) {
  if (!redis::is_replica() || planted(Fault::kNoHiddenKeys)) {
    return Outcome::kAbsent;
  }
  // The one command that reads and does not ask whether a key has expired.
  const auto bytes = redis::call(select(db), redis::kMemory, {"USAGE", redis::view(name)});
  return redis::CallReplyType(bytes.get()) == redis::kReplyInteger ? Outcome::kHidden
                                                                   : Outcome::kAbsent;
}

Capture::Outcome Capture::capture_scanned(std::uint32_t db, RedisModuleString* name,
                                          RedisModuleKey* key) {
  const KeyFacts facts = look_at(key);
  if (is_empty_hash(facts)) {
    return Outcome::kAbsent;
  }
  // A cluster's server reads those of one slot only at once.
  if (facts.is_plain_string && facts.length < raw_from_ && !in_cluster_) {
    short_strings_.push_back({redis::hold(name), facts});
    return Outcome::kWaits;
  }
  if (publish_string(db, redis::view(name), key, facts, Mode::kDirect)) {
    return Outcome::kPublished;
  }
  return publish_by_command(db, name, facts);
}

void Capture::publish_short_strings(std::uint32_t db) {
  if (short_strings_.empty()) {
    return;
  }
  names_.clear();
  for (const ShortString& one : short_strings_) {
    names_.push_back(one.name.get());
  }
  const auto values = redis::call(select(db), redis::kMget, names_);
  for (std::size_t i = 0; i < short_strings_.size(); ++i) {
    RedisModuleCallReply* value = redis::CallReplyArrayElement(values.get(), i);
    if (value == nullptr || redis::CallReplyType(value) != redis::kReplyString) {
      continue;
    }
    const auto& [name, facts] = short_strings_[i];
    undo_touch(name.get(), facts.uses);
    put_string(db, redis::view(name.get()), facts.meta, redis::view(value));
  }
  short_strings_.clear();
}

bool Capture::publish_string(std::uint32_t db, std::string_view name, RedisModuleKey* key,
                             const KeyFacts& facts, Mode mode) {
  if (!facts.is_plain_string || facts.length < raw_from_) {
    return false;
  }
  std::size_t length = 0;
  char* bytes = redis::StringDMA(key, &length, redis::kKeyRead);
  if (mode == Mode::kDirect && length >= options_.direct_threshold) {
    publisher_.put_direct(db, name, facts.meta, {reinterpret_cast<std::byte*>(bytes), length});
    partial_.add(db, name, {bytes, length});
  } else {
    put_string(db, name, facts.meta, {bytes, length});
  }
  return true;
}

Capture::Outcome Capture::publish_by_command(std::uint32_t db, RedisModuleString* name,
                                             const KeyFacts& facts) {
  const bool is_string = facts.is_plain_string;
  if (remember_streams_ && facts.type == redis::kTypeStream) {
    streams_.emplace(redis::view(name));
  }
  const redis::Reply reply = read(db, name, is_string);
  if (!reply) {
    return Outcome::kHidden;
  }
  if (redis::CallReplyType(reply.get()) != redis::kReplyString) {
    return not_found(db, name);
  }
  undo_touch(name, facts.uses);

  const std::string_view value = redis::view(reply.get());
  if (is_string) {
    put_string(db, redis::view(name), facts.meta, value);
  } else {
    put_entry(db, redis::view(name), facts.meta, log_format::kWhole, {}, value);
  }
  return Outcome::kPublished;
}

/// Null if a cluster's server does not let this client read it.
redis::Reply Capture::read(std::uint32_t db, RedisModuleString* name, bool is_plain_string) {
  try {
    return is_plain_string ? redis::call(context(), redis::kGet, std::span(&name, 1))
                           : dump(db, name);
  } catch (const Error&) {
    if (!in_cluster_) {
      throw;
    }
    return {};
  }
}

redis::Reply Capture::dump(std::uint32_t db, RedisModuleString* name) {
  const auto start = thread_cpu_time();
  auto reply = redis::call(context(), redis::kDump, std::span(&name, 1));
  const auto spent = thread_cpu_time() - start;
  if (spent >= kLongDump) {
    slow_dumps_[{db, std::string(redis::view(name))}] = spent;
  } else if (!slow_dumps_.empty()) {
    slow_dumps_.erase({db, std::string(redis::view(name))});
  }
  return reply;
}

/// A command has touched the key; the copy is not a use of it.
void Capture::undo_touch(RedisModuleString* name, const redis::Uses& uses) {
  if (uses.idle_ms <= 0 && uses.frequency < 0) {
    return;
  }
  const redis::Key key{redis::OpenKey(context(), name, redis::kKeyRead | redis::kKeyNoTouch)};
  if (key) {
    redis::set_uses(key.get(), uses);
  }
}

void Capture::put_string(std::uint32_t db, std::string_view name, const log::KeyMeta& meta,
                         std::string_view value) {
  std::string prefix;
  redis::rdb::append_length(prefix, value.size());
  put_entry(db, name, meta, redis::rdb::kTypeString, prefix, value);
}

void Capture::put_entry(std::uint32_t db, std::string_view name, const log::KeyMeta& meta,
                        char type, std::string_view length_prefix, std::string_view value) {
  log::RecordInfo info;
  info.kind = type == log_format::kWhole ? Kind::kPayload : Kind::kPacked;
  info.db = db;
  put_with_head(info, name, meta, type, length_prefix, value);
}

void Capture::put_part(const PartialKeys::Key& key, const log::KeyMeta& meta, log_format::Part part,
                       std::string_view prefix, std::string_view bytes) {
  log::RecordInfo info;
  info.kind = Kind::kPart;
  info.db = key.first;
  put_with_head(info, key.second, meta, static_cast<char>(part), prefix, bytes);
}

void Capture::put_with_head(log::RecordInfo info, std::string_view name, const log::KeyMeta& meta,
                            char type, std::string_view prefix, std::string_view value) {
  head_.clear();
  log::append_entry_head(head_, meta, type, name);
  info.key_length = static_cast<std::uint32_t>(name.size());
  info.key_offset = static_cast<std::uint16_t>(head_.size() - name.size());
  head_.append(prefix);
  publisher_.put(info, head_, value);
}

bool Capture::capture_changed(const PartialKeys::Changed& changed) {
  const auto& [db, name] = changed.key;
  const redis::String key_name = redis::make_string(name);
  const redis::Key key{
      redis::OpenKey(select(db), key_name.get(), redis::kKeyRead | redis::kKeyNoTouch)};
  if (!key || redis::KeyType(key.get()) != redis::kTypeString) {
    return false;
  }
  const KeyFacts facts = look_at(key.get());
  if (!facts.is_plain_string || facts.length < changed.length || facts.length < raw_from_) {
    return false;
  }
  std::size_t length = 0;
  const char* bytes = redis::StringDMA(key.get(), &length, redis::kKeyRead);
  if (bytes != changed.address) {
    return false;
  }
  std::vector<ByteRange> ranges = changed.ranges(length);
  if (ranges.empty()) {
    ranges.push_back({0, 0});  // the key's time alone
  }
  for (const ByteRange& range : ranges) {
    std::string prefix;
    redis::rdb::append_little_endian(prefix, range.begin);
    redis::rdb::append_little_endian(prefix, length);
    put_part(changed.key, facts.meta, log_format::Part::kBytes, prefix,
             {bytes + range.begin, range.end - range.begin});
  }
  partial_.published(changed, length);
  return true;
}

void Capture::tombstone(std::uint32_t db, std::string_view key) {
  log::RecordInfo info;
  info.kind = Kind::kTombstone;
  info.db = db;
  info.key_length = static_cast<std::uint32_t>(key.size());
  publisher_.put(info, key);
}

void Capture::functions() {
  log::RecordInfo info;
  info.kind = Kind::kFunctions;
  publisher_.put(info, {}, redis::dump_functions(context()));
}

std::size_t Capture::string_bytes(std::uint32_t db, RedisModuleString* name) {
  const redis::Key key{redis::OpenKey(select(db), name, redis::kKeyRead | redis::kKeyNoTouch)};
  if (!key || redis::KeyType(key.get()) != redis::kTypeString) {
    return 0;
  }
  return redis::ValueLength(key.get());
}

std::chrono::microseconds Capture::expected_cost(const PartialKeys::Changed& changed) {
  return std::chrono::microseconds(changed.bytes() / kCopiedInAMicrosecond);
}

std::chrono::microseconds Capture::expected_cost(std::uint32_t db, RedisModuleString* name) {
  const redis::Key key{redis::OpenKey(select(db), name, redis::kKeyRead | redis::kKeyNoTouch)};
  if (!key) {
    return {};
  }
  const auto length = redis::ValueLength(key.get());
  if (redis::KeyType(key.get()) == redis::kTypeString) {
    return std::chrono::microseconds(length / kCopiedInAMicrosecond);
  }
  if (!slow_dumps_.empty()) {
    const auto known = slow_dumps_.find({db, std::string(redis::view(name))});
    if (known != slow_dumps_.end()) {
      return known->second;
    }
  }
  return std::chrono::duration_cast<std::chrono::microseconds>(length * kDumpOfAnElement);
}

}  // namespace rdmasync::master

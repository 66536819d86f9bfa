#include "module/log/entry.h"

#include "module/redis/rdb.h"

namespace rdmasync::log {

namespace rdb = redis::rdb;

void append_entry_head(std::string& out, const KeyMeta& meta, char type, std::string_view key) {
  if (meta.expire_at_ms != log_format::kNoExpiry) {
    rdb::append_byte(out, rdb::kExpireTimeMs);
    rdb::append_little_endian(out, static_cast<std::uint64_t>(meta.expire_at_ms));
  }
  if (meta.recency_kind == log_format::Recency::kIdle) {
    rdb::append_byte(out, rdb::kIdle);
    rdb::append_length(out, meta.recency);
  } else if (meta.recency_kind == log_format::Recency::kFrequency) {
    rdb::append_byte(out, rdb::kFreq);
    rdb::append_byte(out, meta.recency & 0xFF);
  }
  out.push_back(type);
  rdb::append_string(out, key);
}

EntryHead entry_head(std::string_view entry) {
  rdb::Reader reader(entry);
  EntryHead head;
  if (reader.peek() == rdb::kExpireTimeMs) {
    reader.take(1);
    head.meta.expire_at_ms = static_cast<std::int64_t>(reader.little_endian());
  }
  if (reader.peek() == rdb::kIdle) {
    reader.take(1);
    head.meta.recency_kind = log_format::Recency::kIdle;
    head.meta.recency = reader.length();
  } else if (reader.peek() == rdb::kFreq) {
    reader.take(1);
    head.meta.recency_kind = log_format::Recency::kFrequency;
    head.meta.recency = reader.big_endian(1);
  }
  head.type = reader.take(1).front();
  head.key = reader.take(reader.length());
  head.size = entry.size() - reader.left();
  return head;
}

}  // namespace rdmasync::log

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "rdmasync/log_format.h"

/// The few pieces of the RDB format that a stub RDB and its entries are made of.
///
/// Entries are [expiry] [recency] type key value, strings are length-prefixed and never compressed:
/// they go through memory, not to disk.
namespace rdmasync::redis::rdb {

inline constexpr char kTypeString = 0;
inline constexpr char kTypeModule = 7;
/// The last type of a value in Redis 8.0 and Valkey 9.1. What begins with another byte is not known
/// to begin with a type: Redis 8.6 puts a key's metadata first.
inline constexpr char kLastType = 25;

struct KeyMeta {
  std::int64_t expire_at_ms = log_format::kNoExpiry;
  log_format::Recency recency_kind = log_format::Recency::kNone;
  std::uint64_t recency = 0;  ///< seconds idle, or the LFU counter
};

void append_length(std::string& out, std::uint64_t length);
void append_string(std::string& out, std::string_view text);

/// Everything of an entry up to and including its key. The value follows.
void append_entry_head(std::string& out, const KeyMeta& meta, char type, std::string_view key);

/// What append_entry_head() has made.
struct EntryHead {
  KeyMeta meta;
  char type = 0;
  std::string_view key;
  std::size_t size = 0;  ///< bytes, of all this
};

/// Of the entry that begins with it. Throws Error(kProtocol) if it ends before the head does.
EntryHead entry_head(std::string_view entry);

/// Whether a server that writes RDB files of version `own` loads values of version `other`. Valkey
/// since 9.0 has numbers of its own and takes none of those that Redis has given since they parted.
bool loads(int own, int other);

/// "REDIS" or "VALKEY", whichever the version belongs to, and the version.
void append_file_head(std::string& out, int version);
void append_aux(std::string& out, std::string_view name, std::string_view value);
void append_select_db(std::string& out, std::uint32_t db, std::uint64_t keys,
                      std::uint64_t expires);
/// A module's auxiliary field holding one string, after the keys.
void append_module_aux(std::string& out, std::uint64_t module_id, std::string_view value);
/// The end of the file, with a checksum of zero: "not checked".
void append_file_end(std::string& out);

/// The 64-bit identity of a module's data type: nine characters and an encoding version.
std::uint64_t module_type_id(std::string_view name, int encoding_version);

}  // namespace rdmasync::redis::rdb

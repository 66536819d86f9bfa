#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "rdmasync/log_format.h"

/// What a key has besides its value, and the head of a packed record's entry, which says it in the
/// words of the RDB format: [expiry] [recency] type key.
namespace rdmasync::log {

struct KeyMeta {
  std::int64_t expire_at_ms = log_format::kNoExpiry;  ///< Unix time
  log_format::Recency recency_kind = log_format::Recency::kNone;
  std::uint64_t recency = 0;  ///< seconds idle, or the LFU counter
};

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

}  // namespace rdmasync::log

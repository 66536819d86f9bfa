#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "module/log/entry.h"
#include "module/redis/owned.h"

namespace rdmasync::replica {

/// Bytes that a read is filling, or has filled.
struct Landing {
  /// A string value: the very string that will enter the keyspace.
  bool is_value = false;
  redis::String value;
  log::KeyMeta meta;
  /// Or the value of an entry, or function libraries, too large for the log.
  std::string bytes;
};

/// What a key is to become.
struct Incoming {
  /// An entry of the log, complete; or its part up to the value, which lands beside it.
  std::string_view entry;
  std::shared_ptr<Landing> landing;
  /// The value is for RESTORE, and not for the loader.
  bool is_payload = false;

  bool is_value() const { return landing && landing->is_value; }
};

/// The value of an entry, whose head was taken: what follows it in the log, or what has landed
/// beside.
inline std::string_view value_of(const Incoming& incoming, const log::EntryHead& head) {
  return incoming.landing ? std::string_view(incoming.landing->bytes)
                          : incoming.entry.substr(head.size);
}

/// The type of a value that is in an entry, as in an RDB file.
inline char type_of(const Incoming& incoming) {
  const auto head = log::entry_head(incoming.entry);
  return incoming.is_payload ? value_of(incoming, head).front() : head.type;
}

/// What a pull gives what it reads to, in the order of the log. A landing is whole once the pull
/// has come to a round or to the cut. For the pull's thread; views are of the log's buffers, which
/// the pull keeps.
class Sink {
 public:
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink() = default;

  virtual void put(std::uint32_t db, std::string_view key, Incoming incoming) = 0;
  virtual void erase(std::uint32_t db, std::string_view key) = 0;
  virtual void flush(std::uint32_t db) = 0;  ///< or kAllDatabases
  virtual void swap(std::uint32_t a, std::uint32_t b) = 0;
  virtual void set_functions(std::string_view payload, std::shared_ptr<Landing> landing) = 0;

  virtual std::size_t keys() const = 0;  ///< that there are by now
};

}  // namespace rdmasync::replica

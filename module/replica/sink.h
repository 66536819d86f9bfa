#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "module/log/entry.h"
#include "module/redis/owned.h"

namespace rdmasync::replica {

/// Bytes that a read is filling, or has filled.
struct Landing {
  enum class State {
    kOnItsWay,
    kWhole,
    kTorn,  ///< the master freed it meanwhile: then it has published the key again
  };
  std::atomic<State> state = State::kOnItsWay;
  /// A string value: the very string that will enter the keyspace.
  bool is_value = false;
  redis::String value;
  log::KeyMeta meta;
  /// Or the value of an entry, or function libraries, too large for the log.
  std::string bytes;
};

/// Of a key whose last value is torn.
inline constexpr const char* kTornText =
    "the master freed a value while it was read, and did not publish it again";

/// What a key is to become.
struct Incoming {
  /// An entry of the log, complete; or its part up to the value, which lands beside it.
  std::string_view entry = {};
  std::shared_ptr<Landing> landing = {};
  /// The value is for RESTORE, and not for the loader.
  bool is_payload = false;
  /// Nothing by itself: the parts that follow make it.
  bool in_parts = false;

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

/// What a pull gives what it reads to, in the order of the log. For the pull's thread.
class Sink {
 public:
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink() = default;

  virtual void put(std::uint32_t db, std::string_view key, Incoming incoming) = 0;
  /// A log_format::Part of the key that was put last under that name, or the first of another one.
  /// Throws Error(kProtocol) if it is neither.
  virtual void add_part(std::uint32_t db, std::string_view key, Incoming part) = 0;
  virtual void erase(std::uint32_t db, std::string_view key) = 0;
  virtual void flush(std::uint32_t db) = 0;  ///< or kAllDatabases
  virtual void swap(std::uint32_t a, std::uint32_t b) = 0;
  virtual void set_functions(std::string_view payload, std::shared_ptr<Landing> landing) = 0;

  /// What was given since the last call, whose views are of `size` bytes of this block.
  virtual void given(std::shared_ptr<const void> block, std::size_t size) = 0;
  /// The landing has another state than kOnItsWay.
  virtual void landed(const std::shared_ptr<Landing>& landing) = 0;

  /// Whether it wants no more of the log for now; then `room_fd` becomes readable when it does.
  virtual bool full() { return false; }
  virtual int room_fd() const { return -1; }

  virtual std::size_t keys() const = 0;  ///< that there are by now
};

}  // namespace rdmasync::replica

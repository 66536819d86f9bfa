#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "module/master/publisher.h"
#include "module/redis/owned.h"

namespace rdmasync::master {

/// Turns keys into records, as they are at this moment. Main thread only.
class Capture {
 public:
  enum class Mode {
    kInPlace,  ///< large strings stay where they are and are read from there
    kPacked,   ///< everything is copied now: at a cut, where a later read would see later writes
  };

  /// What became of a key.
  enum class Outcome { kPublished, kAbsent };

  /// `direct_threshold`: bytes from which a string is large.
  Capture(Publisher& publisher, std::size_t direct_threshold);

  /// Publishes the key's value, or nothing if there is no such key.
  Outcome capture(std::uint32_t db, RedisModuleString* name, Mode mode);

  /// The same for a key that is open already, as a scan has it. It must not be about to expire.
  Outcome capture_open(std::uint32_t db, RedisModuleString* name, RedisModuleKey* key, Mode mode);

  void tombstone(std::uint32_t db, std::string_view key);

  /// All function libraries of the server.
  void functions();

  /// Bytes that copying this key would take, if it is a string; 0 otherwise.
  std::size_t string_bytes(std::uint32_t db, RedisModuleString* name);

  /// For the scan: has the database selected.
  RedisModuleCtx* select(std::uint32_t db);

 private:
  struct Recency {
    long long idle_ms = -1;
    long long frequency = -1;
  };
  struct Seen {
    int type = 0;
    std::size_t length = 0;
    redis::rdb::KeyMeta meta;
    Recency recency;
  };

  static void restore(RedisModuleKey* key, const Recency& recency);
  Seen look_at(RedisModuleKey* key) const;
  bool publish_string(std::uint32_t db, std::string_view name, RedisModuleKey* key,
                      const Seen& seen, Mode mode);
  /// Of the selected database. `key` is the open key, if the caller has it open.
  Outcome publish_by_command(std::uint32_t db, RedisModuleString* name, const Seen& seen,
                             RedisModuleKey* key);
  void put_entry(std::uint32_t db, std::string_view name, const redis::rdb::KeyMeta& meta,
                 char type, std::string_view length_prefix, std::string_view value);

  redis::Context context_;
  Publisher& publisher_;
  std::size_t direct_threshold_;
  log_format::Recency recency_kind_;
  std::string head_;  ///< reused
};

}  // namespace rdmasync::master

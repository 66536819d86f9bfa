#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "module/master/partial_keys.h"
#include "module/master/publisher.h"
#include "module/redis/key_meta.h"
#include "module/redis/owned.h"

namespace rdmasync::master {

/// Turns keys into records, as they are at this moment. Main thread only.
class Capture {
 public:
  enum class Mode {
    kDirect,  ///< large strings stay where they are and are read from there
    kPacked,  ///< everything is copied now: at a cut, where a later read would see later writes
  };

  /// What became of a key.
  enum class Outcome {
    kPublished,
    kAbsent,
    kHidden,  ///< it has expired, and this server is a replica, which keeps it until its master
              ///< says that it is gone, and shows it to nobody else meanwhile; or it is of a
              ///< cluster's slot that is on its way to this server, which shows it to those who say
              ///< ASKING
    kWaits,   ///< for publish_short_strings()
  };

  struct Options {
    std::size_t direct_threshold;  ///< bytes from which a string is large
  };

  /// `partial`: is told of every string that is to be read in place.
  Capture(Publisher& publisher, PartialKeys& partial, const Options& options);

  /// Publishes the key's value, or nothing if there is no such key, or it is hidden.
  Outcome capture(std::uint32_t db, RedisModuleString* name, Mode mode);

  /// The same for a key that a scan has open. It must not be about to expire. A short string waits
  /// for others, to be read with them.
  Outcome capture_scanned(std::uint32_t db, RedisModuleString* name, RedisModuleKey* key);

  /// Publishes the short strings that wait, all of one database. To be called before anybody else
  /// can write.
  void publish_short_strings(std::uint32_t db);
  std::size_t short_strings() const { return short_strings_.size(); }

  // For those who capture a key in parts.
  struct KeyFacts {
    int type = 0;
    bool is_plain_string = false;  ///< its bytes are all there is of it
    std::size_t length = 0;
    redis::Uses uses;
    log::KeyMeta meta;
  };
  KeyFacts look_at(RedisModuleKey* key) const;
  /// A command has read the key of the selected database, which is not a use of it.
  void undo_touch(RedisModuleString* name, const redis::Uses& uses);
  void put_part(const PartialKeys::Key& key, const log::KeyMeta& meta, log_format::Part part,
                std::string_view prefix, std::string_view bytes);

  /// Publishes what has changed of a string. False if it is not the one any more that was
  /// published: then nothing is.
  bool capture_changed(const PartialKeys::Changed& changed);

  void tombstone(std::uint32_t db, std::string_view key);

  /// All function libraries of the server.
  void functions();

  /// Bytes that copying this key would take, if it is a string; 0 otherwise.
  std::size_t string_bytes(std::uint32_t db, RedisModuleString* name);

  /// What copying this key would take of the main thread: an estimate, or, for a collection that
  /// took long before, what it took then.
  std::chrono::microseconds expected_cost(std::uint32_t db, RedisModuleString* name);
  static std::chrono::microseconds expected_cost(const PartialKeys::Changed& changed);

  /// Names of the streams captured so far, of all databases; only if they are to be remembered.
  void remember_streams() { remember_streams_ = true; }
  const std::set<std::string, std::less<>>& streams() const { return streams_; }

  /// For the scan: has the database selected.
  RedisModuleCtx* select(std::uint32_t db);

  /// In cluster mode: what the module calls is called for this client, until it is null.
  void call_for(RedisModuleCtx* client) { client_ = client; }

 private:
  struct ShortString {
    redis::String name;
    KeyFacts facts;
  };

  Outcome not_found(std::uint32_t db, RedisModuleString* name);
  static bool is_empty_hash(const KeyFacts& facts);
  bool publish_string(std::uint32_t db, std::string_view name, RedisModuleKey* key,
                      const KeyFacts& facts, Mode mode);
  /// Of the selected database.
  Outcome publish_by_command(std::uint32_t db, RedisModuleString* name, const KeyFacts& facts);
  redis::Reply dump(std::uint32_t db, RedisModuleString* name);
  redis::Reply read(std::uint32_t db, RedisModuleString* name, bool is_plain_string);
  RedisModuleCtx* context() const { return client_ != nullptr ? client_ : context_.get(); }
  void put_string(std::uint32_t db, std::string_view name, const log::KeyMeta& meta,
                  std::string_view value);
  /// `type`: kWhole for a payload of DUMP.
  void put_entry(std::uint32_t db, std::string_view name, const log::KeyMeta& meta, char type,
                 std::string_view length_prefix, std::string_view value);
  void put_with_head(log::RecordInfo info, std::string_view name, const log::KeyMeta& meta,
                     char type, std::string_view prefix, std::string_view value);

  redis::Context context_;
  RedisModuleCtx* client_ = nullptr;
  bool in_cluster_;
  Publisher& publisher_;
  PartialKeys& partial_;
  Options options_;
  log_format::Recency recency_kind_;
  std::size_t raw_from_;  ///< bytes
  std::string head_;      ///< reused
  std::vector<ShortString> short_strings_;
  std::vector<RedisModuleString*> names_;  ///< reused
  bool remember_streams_ = false;
  std::set<std::string, std::less<>> streams_;
  /// Of the collections whose last DUMP took long.
  std::map<std::pair<std::uint32_t, std::string>, std::chrono::microseconds> slow_dumps_;
};

}  // namespace rdmasync::master

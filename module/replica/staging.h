#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "module/redis/owned.h"
#include "module/redis/rdb.h"

namespace rdmasync::replica {

/// Bytes that a read is filling, or has filled.
struct Fetched {
  /// A string value: the very string that will enter the keyspace.
  redis::String value;
  redis::rdb::KeyMeta meta;
  /// Or the value of an entry, or function libraries, too large for the log.
  std::string bytes;
};

/// What a key is to become.
struct Staged {
  /// An entry of the log, complete; or its part up to the value, which `fetched` has.
  std::string_view entry;
  std::shared_ptr<Fetched> fetched;

  bool is_value() const { return fetched && fetched->value; }
};

/// The dataset on its way into this server: the last record of each key. One thread at a time; the
/// records' bytes belong to whoever calls, and outlive it.
class Staging {
 public:
  using Keys = std::unordered_map<std::string_view, Staged>;
  using Databases = std::map<std::uint32_t, Keys>;

  void put(std::uint32_t db, std::string_view key, Staged staged);
  void erase(std::uint32_t db, std::string_view key);
  void flush(std::uint32_t db);  ///< or kAllDatabases
  void swap(std::uint32_t a, std::uint32_t b);
  void set_functions(std::string_view opcodes, std::shared_ptr<Fetched> fetched);

  const Databases& databases() const { return databases_; }
  std::string_view functions() const;
  std::size_t keys() const;

 private:
  Databases databases_;
  std::string_view functions_;
  std::shared_ptr<Fetched> remote_functions_;
};

}  // namespace rdmasync::replica

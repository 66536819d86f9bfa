#pragma once

#include <tsl/robin_map.h>

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "module/redis/owned.h"
#include "module/redis/rdb.h"

namespace rdmasync::replica {

/// Bytes that a read is filling, or has filled.
struct Fetched {
  /// A string value: the very string that will enter the keyspace.
  bool is_value = false;
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
  /// The value is for RESTORE, and not for the loader.
  bool is_payload = false;

  bool is_value() const { return fetched && fetched->is_value; }
};

/// The keys of one database, in the order in which they first came: what follows each other there
/// also does in memory, which is most of what going through millions of them costs.
class StagedKeys {
 public:
  void put(std::string_view key, Staged staged);
  void erase(std::string_view key);

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  /// Gives back the memory of the index: nothing can be put, erased or found any more.
  void seal() { places_ = {}; }
  /// Null if there is no such key.
  const Staged* find(std::string_view key) const;

  /// Calls visit(key, staged) for each.
  template <typename Visit>
  void for_each(Visit&& visit) const {
    for (const Row& row : rows_) {
      if (row.live) visit(row.key, row.staged);
    }
  }

 private:
  struct Row {
    std::string_view key;
    Staged staged;
    bool live = true;
  };
  std::deque<Row> rows_;
  tsl::robin_map<std::string_view, std::size_t> places_;  ///< in rows_
  std::size_t size_ = 0;
};

/// The dataset on its way into this server: the last record of each key. One thread at a time; the
/// records' bytes belong to whoever calls, and outlive it.
class Staging {
 public:
  using Databases = std::map<std::uint32_t, StagedKeys>;

  void put(std::uint32_t db, std::string_view key, Staged staged);
  void erase(std::uint32_t db, std::string_view key);
  void flush(std::uint32_t db);  ///< or kAllDatabases
  void swap(std::uint32_t a, std::uint32_t b);
  void set_functions(std::string_view opcodes, std::shared_ptr<Fetched> fetched);

  /// It is complete: what only finds keys is given back before the load needs memory.
  void seal();

  const Databases& databases() const { return databases_; }
  std::string_view functions() const;
  std::size_t keys() const;

 private:
  Databases databases_;
  std::string_view functions_;
  std::shared_ptr<Fetched> remote_functions_;
};

}  // namespace rdmasync::replica

#pragma once

#include <tsl/robin_map.h>

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "module/replica/sink.h"

namespace rdmasync::replica {

/// The keys of one database, in the order in which they first came: what follows each other there
/// also does in memory, which is most of what going through millions of them costs.
class StagedKeys {
 public:
  void put(std::string_view key, Incoming incoming);
  void add_part(std::string_view key, Incoming part);
  void erase(std::string_view key);

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  /// Gives back the memory of the index: nothing can be put, erased or found any more.
  void seal() { places_ = {}; }
  /// Null if there is no such key.
  const Incoming* find(std::string_view key) const;

  /// Calls visit(key, incoming, parts) for each; parts: what changes it, in this order.
  template <typename Visit>
  void for_each(Visit&& visit) const {
    for (const Row& row : rows_) {
      if (row.live) {
        visit(row.key, row.incoming, parts_of(row));
      }
    }
  }

  /// The same for one, which it is after so many calls; false if there are no more.
  template <typename Visit>
  bool visit_next(std::size_t& calls, Visit&& visit) const {
    while (calls < rows_.size() && !rows_[calls].live) {
      ++calls;
    }
    if (calls == rows_.size()) {
      return false;
    }
    const Row& row = rows_[calls++];
    visit(row.key, row.incoming, parts_of(row));
    return true;
  }

 private:
  using Parts = std::vector<Incoming>;
  struct Row {
    std::string_view key;
    Incoming incoming;
    bool live = true;
    bool has_parts = false;
  };
  const Parts& parts_of(const Row& row) const {
    static const Parts none;
    return row.has_parts ? parts_.at(&row) : none;
  }
  /// Those that it had are of a value that is no more.
  void drop_parts(Row& row);

  std::deque<Row> rows_;
  std::unordered_map<const Row*, Parts> parts_;           ///< few have any
  tsl::robin_map<std::string_view, std::size_t> places_;  ///< in rows_
  std::size_t size_ = 0;
};

/// Keeps the dataset on its way into this server: the last record of each key. One thread at a
/// time.
class Staging final : public Sink {
 public:
  using Databases = std::map<std::uint32_t, StagedKeys>;

  void put(std::uint32_t db, std::string_view key, Incoming incoming) override;
  void add_part(std::uint32_t db, std::string_view key, Incoming part) override;
  void erase(std::uint32_t db, std::string_view key) override;
  void flush(std::uint32_t db) override;
  void swap(std::uint32_t a, std::uint32_t b) override;
  void set_functions(std::string_view payload, std::shared_ptr<Landing> landing) override;
  void given(std::shared_ptr<const void> block, std::size_t size) override;
  void landed(const std::shared_ptr<Landing>& landing) override;
  std::size_t keys() const override;

  /// It is complete: what only finds keys is given back before the load needs memory. Throws
  /// Error(kAccess) if the last value of a key is torn.
  void seal();

  const Databases& databases() const { return databases_; }
  std::string_view functions() const;

 private:
  Databases databases_;
  std::string_view functions_;
  std::shared_ptr<Landing> remote_functions_;
  std::vector<std::shared_ptr<const void>> blocks_;
  std::vector<std::shared_ptr<Landing>> torn_;
};

}  // namespace rdmasync::replica

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "module/master/key_name.h"
#include "module/master/named_change.h"
#include "module/redis/owned.h"
#include "rdmasync/log_format.h"

namespace rdmasync::master {

/// How far a sorted set has been read, from its end.
struct RankedPlace {
  struct Member {
    std::string name;
    std::string score;
  };
  std::size_t rank = 0;           ///< of the next member
  std::vector<Member> last = {};  ///< what was read last, in this order
  bool moved = false;             ///< it was written since: the rank may be of another one now
};

/// Large hashes, sets and sorted sets: they are read in slices, and of what is written from the
/// beginning of that on, only the elements are published again that were named. A key that is dirty
/// as a whole is none of them. Main thread only.
class Collections {
 public:
  using Key = KeyName;

  struct Collection {
    log_format::Part part;
    redis::ScanCursor cursor = {};  ///< up to where it has been read
    /// A sorted set is read from its end, in its order: up to here. Null: by the cursor.
    std::unique_ptr<RankedPlace> place = {};
    bool published = false;  ///< some of it
  };

  /// Some elements that changed; none: the key's time alone.
  struct Changed {
    Key key;
    std::vector<std::string> elements;
  };

  bool any() const { return !known_.empty(); }
  /// One of that name, in any database.
  bool any_named(std::string_view name) const { return has_in_any_database(known_, name); }
  bool knows(const KeyNameView& key) const { return known_.contains(key); }

  /// From now on; nothing of it is published yet. False if it has changed too much before: it is
  /// none of them.
  bool add(std::uint32_t db, std::string_view name, Collection collection);
  void forget(std::uint32_t db, std::string_view name);
  void swap(std::uint32_t a, std::uint32_t b);
  void flush(std::uint32_t db);  ///< or kAllDatabases
  /// There are none of these keys from now on. Returns those of which not all is published.
  std::vector<Key> stop();

  /// Those that are to be read on. Null if none of that name is known any more.
  bool any_unread() const { return !unread_.empty(); }
  Key next_unread() const { return *unread_.begin(); }
  Collection* find(const Key& key);
  void all_read(const Key& key);

  /// A field of a hash will be gone at that time, in Unix ms, and nobody names it then. False if
  /// that is too much to remember: then it is none of these keys any more.
  bool ends(const Key& key, std::string_view field, std::int64_t at_ms);

  /// A key was written: what the command that did it has named, or null. Returns whether that is
  /// all that is to be published of it; if not, it is none of these keys any more.
  bool written(std::uint32_t db, std::string_view name, const NamedChange* change,
               std::int64_t now_ms);

  /// As DirtyKeys has rounds.
  void begin_round();
  /// Nothing of a key: there is no more. Up to `most` elements of one key.
  std::optional<Changed> next_in_round(std::size_t most);
  /// What was taken was not published.
  void put_back(Changed changed);

  std::size_t changed_elements() const;

 private:
  /// What it may remember of names of elements, in bytes.
  static constexpr std::size_t kMostBytes = 32U << 20;
  // A set of strings has some more beside each.
  static constexpr std::size_t kBytesOfName = 64;

  using Names = std::unordered_set<std::string>;
  using ByKey = std::map<Key, Names, ByDatabase>;
  using Times = std::set<std::pair<std::int64_t, std::string>>;

  static void merge(ByKey& into, ByKey::node_type node);
  void remember(Names& names, std::string_view name);
  bool is_too_much(const Key& key);

  std::map<Key, Collection, ByDatabase> known_;
  std::set<Key> unread_;
  std::map<Key, Times> times_;
  ByKey changed_;
  ByKey round_;
  std::set<Key> refused_;  ///< have changed too much
  std::size_t bytes_ = 0;  ///< remembered since the last time that nothing was
  bool stopped_ = false;
};

}  // namespace rdmasync::master

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "module/master/key_name.h"
#include "module/master/named_change.h"

namespace rdmasync::master {

/// Keys that are published, and of which only what is written since is to be published again: large
/// strings that are read in place. A key that is dirty as a whole is none of them. Main thread
/// only.
class PartialKeys {
 public:
  using Key = KeyName;

  /// A string, and which of its bytes changed.
  struct Changed {
    Key key;
    const void* address = nullptr;  ///< where it was when it was published
    std::uint64_t length = 0;       ///< that it had when it was last published
    std::set<std::uint64_t> blocks = {};

    /// The blocks as ranges, and what has been added behind the end, up to the present length.
    std::vector<ByteRange> ranges(std::uint64_t length_now) const;
    std::uint64_t bytes() const { return blocks.size() * kBlock; }
  };

  bool any() const { return !known_.empty(); }
  /// One of that name, in any database.
  bool any_named(std::string_view name) const { return has_in_any_database(known_, name); }
  bool knows(const KeyNameView& key) const { return known_.contains(key); }

  /// From now on. The present bytes are published.
  void add(std::uint32_t db, std::string_view name, std::string_view bytes);
  void forget(std::uint32_t db, std::string_view name);
  void swap(std::uint32_t a, std::uint32_t b);
  void flush(std::uint32_t db);  ///< or kAllDatabases
  /// There are none of these keys from now on. Returns those that have changed.
  std::vector<Key> stop();

  /// A key was written: what the command that did it has named, or null. Returns whether that is
  /// all that is to be published of it; if not, it is none of these keys any more.
  bool written(std::uint32_t db, std::string_view name, const NamedChange* change);

  /// As DirtyKeys has rounds.
  void begin_round();
  std::optional<Changed> next_in_round();
  /// What was taken was not published.
  void put_back(const Changed& changed);
  /// It was, when the string was so long.
  void published(const Changed& changed, std::uint64_t length);

  std::size_t changed_keys() const { return changed_.size() + round_.size(); }
  std::uint64_t changed_bytes() const;

 private:
  // A write of a bit costs so many bytes; a string of 512 MiB has half a million of them.
  static constexpr std::uint64_t kBlock = 1024;

  struct Facts {
    const void* address;
    std::uint64_t length;
  };
  using Blocks = std::set<std::uint64_t>;
  using ByKey = std::map<Key, Blocks, ByDatabase>;

  static void merge(ByKey& into, ByKey::node_type node);

  std::map<Key, Facts, ByDatabase> known_;
  bool stopped_ = false;
  ByKey changed_;
  ByKey round_;
};

}  // namespace rdmasync::master

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "module/log/stream_part.h"
#include "module/master/key_name.h"
#include "module/master/named_change.h"

namespace rdmasync::master {

/// Large streams: they are read in slices, in the order of their ids. What is added comes after all
/// that was read, and what is trimmed goes from the beginning; so of what is written meanwhile only
/// the ids need to be kept of entries that are deleted. Their groups are read anew whenever the
/// entries are. A stream that is dirty as a whole is none of them. Main thread only.
class Streams {
 public:
  using Key = KeyName;

  bool any() const { return !known_.empty(); }
  /// One of that name, in any database.
  bool any_named(std::string_view name) const { return has_in_any_database(known_, name); }
  bool knows(const KeyNameView& key) const { return known_.contains(key); }

  /// From now on; nothing of it is published yet. False after stop().
  bool add(std::uint32_t db, std::string_view name);
  void forget(std::uint32_t db, std::string_view name);
  void swap(std::uint32_t a, std::uint32_t b);
  void flush(std::uint32_t db);  ///< or kAllDatabases
  /// There are none of these keys from now on. Returns those of which not all is published.
  std::vector<Key> stop();

  /// One that it knows was written: what the command or the notification has named, or null.
  /// Returns whether that is all that is to be published of it; if not, it is none of these keys
  /// any more.
  bool written(const KeyNameView& key, const NamedChange* change);
  /// Its groups may have been.
  void groups_written(const KeyNameView& key);

  /// Those that are read for the first time.
  bool any_unread() const { return !unread_.empty(); }
  Key next_unread() const { return *unread_.begin(); }

  /// As DirtyKeys has rounds; next_in_round() does not take what it returns.
  void begin_round();
  std::optional<Key> next_in_round() const;

  /// The entries that a stream has, from this one to that one; none: `first` is beyond all.
  struct Extent {
    redis::StreamId first;
    redis::StreamId last;
  };
  /// What a part is to bring of one that is unread or in this round: entries, and what is gone of
  /// them; or, if all of that is published, its groups.
  struct Piece {
    bool groups = false;
    log::StreamHead head = {};
    std::optional<redis::StreamId> after = {};  ///< entries that come after this one,
    redis::StreamId until = {};                 ///< up to that one
  };
  Piece next_piece(const Key& key, const Extent& now);
  /// It was published, with the entries up to that one.
  void published(const Key& key, const Piece& piece, const redis::StreamId& to);

  /// Entries and streams that are still to be published in a round, as far as that is known.
  std::size_t changes() const;

 private:
  struct Stream {
    bool begun = false;                         ///< some of it is published,
    std::optional<redis::StreamId> to = {};     ///< up to this entry
    std::optional<redis::StreamId> until = {};  ///< what comes later waits for the next round
    std::set<redis::StreamId> gone = {};        ///< of what is published
    bool entries_left = true;                   ///< before its groups are read
  };

  std::map<Key, Stream, ByDatabase> known_;
  std::set<Key> unread_;
  std::set<Key> changed_;
  std::set<Key> round_;
  bool stopped_ = false;
};

}  // namespace rdmasync::master

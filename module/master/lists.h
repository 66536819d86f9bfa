#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "module/log/list_part.h"
#include "module/master/key_name.h"
#include "module/master/named_change.h"

namespace rdmasync::master {

/// Large lists: they are read in slices, and of what is written from the beginning of that on, only
/// what has changed at their ends is published again, and the elements that were replaced. A list
/// that is dirty as a whole is none of them. Main thread only.
class Lists {
 public:
  using Key = KeyName;

  /// What a part is to bring of a list.
  struct Piece {
    log::ListHead head;
    log::ListElement::Place place = log::ListElement::Place::kRightEnd;
    /// Of the elements, in the order in which they are put; in the list, and for those that are put
    /// in their place in what the replica has then.
    struct Indices {
      std::uint64_t here;
      std::uint64_t there;
    };
    std::vector<Indices> elements;
  };

  bool any() const { return !known_.empty(); }
  /// One of that name, in any database.
  bool any_named(std::string_view name) const { return has_in_any_database(known_, name); }
  bool knows(const KeyNameView& key) const { return known_.contains(key); }

  /// From now on; nothing of it is published yet. False after stop().
  bool add(std::uint32_t db, std::string_view name, std::size_t length);
  void forget(std::uint32_t db, std::string_view name);
  void swap(std::uint32_t a, std::uint32_t b);
  void flush(std::uint32_t db);  ///< or kAllDatabases
  /// There are none of these keys from now on. Returns those of which not all is published.
  std::vector<Key> stop();

  /// One that it knows was written, and has that length now: what the command or the notification
  /// has named. Returns whether that is all that is to be published of it; if not, it is none of
  /// these keys any more.
  bool written(const KeyNameView& key, const NamedChange& change, std::size_t length);

  /// Those that are read for the first time.
  bool any_unread() const { return !unread_.empty(); }
  Key next_unread() const { return *unread_.begin(); }

  /// As DirtyKeys has rounds; next_in_round() does not take what it returns.
  void begin_round();
  std::optional<Key> next_in_round() const;

  /// What comes next of one that is unread or in this round, of up to `most` elements. Nothing if
  /// there is none of that name and length.
  std::optional<Piece> next_piece(const Key& key, std::size_t length, std::size_t most) const;
  /// It was published, with that many of its elements.
  void published(const Key& key, const Piece& piece, std::size_t elements);

  /// Elements and lists that are still to be published in a round.
  std::size_t changes() const;

 private:
  /// Positions are counted from where the left end was in the beginning; those of what was put at
  /// the left end since are negative.
  struct List {
    std::int64_t left;        ///< the list is from here
    std::int64_t right;       ///< up to here
    std::int64_t from;        ///< of that, this is published,
    std::int64_t to;          ///< up to here,
    std::int64_t there_from;  ///< and replicas have this,
    std::int64_t there_to;    ///< up to here
    std::size_t for_now;      ///< elements that may be published before others have their turn
    std::set<std::int64_t> replaced = {};  ///< of what is published

    std::int64_t length() const { return right - left; }
    std::size_t missing() const;
    bool complete() const;
    void pop(End end, std::int64_t count);
    void push(End end, std::int64_t count);
    bool trim(std::int64_t first, std::int64_t last);
    bool replace(std::int64_t index);
    bool apply(const ListChange& change, std::int64_t length_now);
  };

  std::map<Key, List, ByDatabase> known_;
  std::set<Key> unread_;
  std::set<Key> changed_;
  std::set<Key> round_;
  bool stopped_ = false;
};

}  // namespace rdmasync::master

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "module/master/capture.h"
#include "module/master/collection_capture.h"
#include "module/master/collections.h"
#include "module/master/cut_budget.h"
#include "module/master/key_name.h"
#include "module/master/list_capture.h"
#include "module/master/lists.h"
#include "module/master/named_change.h"
#include "module/master/partial_keys.h"
#include "module/master/stream_capture.h"
#include "module/master/streams.h"

namespace rdmasync::master {

/// All keys of an export that are published in parts, each followed by what keeps such keys: large
/// strings by PartialKeys, hashes and sets by Collections, lists by Lists, streams by Streams. A
/// key that is dirty as a whole is none of them. Main thread only.
class Parts {
 public:
  /// Is told of a key that cannot be published in parts any more. It is none of them then.
  using Whole = std::function<void(std::uint32_t db, const std::string& name)>;

  /// `least`: elements of a large collection, list or stream.
  Parts(Capture& capture, PartialKeys& strings, std::size_t least);

  bool any() const {
    return strings_.any() || collections_.any() || lists_.any() || streams_.any();
  }
  /// One of that name, in any database.
  bool any_named(std::string_view name) const;

  /// Makes the key one that is published in parts, from now on, if it is a large collection, list
  /// or stream and can be. An open one must not be about to expire.
  bool add(std::uint32_t db, std::string_view name, RedisModuleKey* key);
  bool add(std::uint32_t db, RedisModuleString* name);
  /// The elements of it, if it is such a one.
  std::optional<std::size_t> large(std::uint32_t db, RedisModuleString* name);

  /// It is dirty as a whole, or published so: what would be published of it next changes what was
  /// published in parts.
  void forget(std::uint32_t db, std::string_view name);
  void swap(std::uint32_t a, std::uint32_t b);
  void flush(std::uint32_t db);  ///< or kAllDatabases
  /// There are none of these keys from now on.
  void stop(const Whole& whole);

  /// A key was written: what the command that did it has named, or null. Returns whether that is
  /// all that is to be published of it; if not, it is none of these keys any more. `by`: what tells
  /// of it.
  bool written(std::uint32_t db, std::string_view name, const NamedChange* change,
               std::string_view by);
  /// The same of the groups of a stream; false if it is not one of them.
  bool groups_written(std::uint32_t db, std::string_view name);
  /// What ended that this key went in parts, for a text: a clause that begins with ", ", or
  /// nothing.
  std::string why_whole(std::uint32_t db, const std::string& name) const;

  /// Those that are read for the first time.
  bool any_unread() const {
    return collections_.any_unread() || lists_.any_unread() || streams_.any_unread();
  }
  void read_on(const Whole& whole);

  /// As DirtyKeys has rounds; false if nothing of this one is left.
  void begin_round();
  bool capture_next(const Whole& whole);
  /// Begins a round and publishes all of it, or returns false if that would take too long.
  bool capture_all(CutBudget& budget, const Whole& whole);

  /// Keys or elements that have changed, and bytes of strings.
  std::size_t changes() const;
  std::uint64_t changed_bytes() const { return strings_.changed_bytes(); }

 private:
  redis::Key open(std::uint32_t db, RedisModuleString* name);
  bool is_large(RedisModuleKey* key, std::size_t bytes) const;
  /// By a few of its elements; 0 where that makes no difference. It may have expired then.
  std::size_t bytes_of(std::uint32_t db, std::string_view name, std::size_t elements);
  std::size_t bytes_of(std::uint32_t db, RedisModuleString* name);
  bool add_if(bool large, std::uint32_t db, std::string_view name, RedisModuleKey* key);
  bool follows(const KeyNameView& key) const;
  bool written_as_named(std::uint32_t db, std::string_view name, const NamedChange* change);
  bool written_list(std::uint32_t db, std::string_view name, const NamedChange* change);
  void capture(const PartialKeys::Changed& changed, const Whole& whole);
  void capture(const Collections::Changed& changed, const Whole& whole);
  void capture_list(const KeyName& list, const Whole& whole);
  void capture_stream(const KeyName& stream, const Whole& whole);

  Capture& capture_;
  PartialKeys& strings_;
  PartSize size_;
  bool measures_;  ///< bytes, on this server
  Collections collections_;
  CollectionCapture collection_capture_;
  Lists lists_;
  ListCapture list_capture_;
  Streams streams_;
  StreamCapture stream_capture_;
  std::map<KeyName, std::string, ByDatabase> why_whole_;
};

}  // namespace rdmasync::master

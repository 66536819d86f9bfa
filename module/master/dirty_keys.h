#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace rdmasync::master {

/// What was written while an export ran, and so has to be published again. Main thread only.
class DirtyKeys {
 public:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  using Names = std::unordered_set<std::string, Hash, std::equal_to<>>;
  using Key = std::pair<std::uint32_t, std::string>;

  /// A key was written in this database.
  void mark(std::uint32_t db, std::string_view key);

  /// It is known by other means from now on what is written of it.
  void unmark(std::uint32_t db, std::string_view key);

  /// A command that tells nobody when it writes has named this key, in a database that a command
  /// filter cannot know: it may write at any time from now on.
  /// `groups_only`: of a stream nothing but its groups.
  void mark_silent(std::string_view key, bool groups_only);

  /// A key cannot be captured now: it is hidden.
  void hide(const Key& key) { hidden_.insert(key.first, key.second); }
  /// Takes a hidden one that was not written since; nothing if there is none.
  std::optional<Key> next_hidden() { return hidden_.take(); }
  bool any_hidden() const { return hidden_.size() > 0; }
  /// None is any more: they are as dirty as what was written.
  void show_hidden() { written_.merge(hidden_); }

  /// The databases changed places, or one (kAllDatabases: all) was emptied. Silent names stay.
  void swap(std::uint32_t a, std::uint32_t b);
  void flush(std::uint32_t db);

  /// Starts a round over all that is dirty now. What is written from here on waits for the next.
  void begin_round();
  /// Takes a key of the round; nothing when the round is over.
  std::optional<Key> next_in_round() { return round_.take(); }

  /// Names to capture in every database at every cut.
  const std::map<std::string, bool, std::less<>>& silent() const { return silent_; }

  std::size_t size() const { return written_.size() + round_.size(); }

  /// Calls `visit(db, name)` for each dirty key, until it returns false.
  template <typename Visit>
  void visit_all(Visit visit) const {
    if (written_.visit(visit)) {
      round_.visit(visit);
    }
  }

 private:
  class Set {
   public:
    void insert(std::uint32_t db, std::string_view key);
    void erase(std::uint32_t db, std::string_view key);
    void swap(std::uint32_t a, std::uint32_t b);
    void flush(std::uint32_t db);
    void merge(Set& other);
    std::optional<Key> take();
    std::size_t size() const { return size_; }

    template <typename Visit>
    bool visit(Visit& visit) const {
      for (const auto& [db, names] : by_db_) {
        for (const auto& name : names) {
          if (!visit(db, name)) {
            return false;
          }
        }
      }
      return true;
    }

   private:
    std::map<std::uint32_t, Names> by_db_;
    std::size_t size_ = 0;
  };

  Set written_;
  Set round_;
  Set hidden_;
  std::map<std::string, bool, std::less<>> silent_;  ///< with whether it is of groups only
};

}  // namespace rdmasync::master

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rdmasync::master {

/// Bytes of a string, from `begin` up to `end`.
struct ByteRange {
  std::uint64_t begin;
  std::uint64_t end;
};

enum class End { kLeft, kRight };

/// What becomes of a list.
struct ListChange {
  std::optional<End> pushed = {};  ///< here it has become longer
  std::optional<End> popped = {};  ///< here it has become shorter; with the former: one moved there
  struct Range {
    std::int64_t first;
    std::int64_t last;
    bool operator==(const Range&) const = default;
  };
  std::optional<Range> kept = {};             ///< of it just this, as LTRIM has it
  std::optional<std::int64_t> replaced = {};  ///< the index of one, from the right end if negative
};

/// What a command is about to change of a key, as far as its words tell.
struct NamedChange {
  std::string key = {};
  std::array<std::string_view, 4> events = {};  ///< by which the server tells of it
  std::vector<ByteRange> ranges = {};  ///< of a string that stays one, besides what is added to it
  std::vector<std::string> elements = {};  ///< of a collection
  bool ended = false;                      ///< fields of a hash, by their time
  std::optional<ListChange> list = {};
  bool stream = false;  ///< of a stream: besides those entries, only at its ends, or of its groups
};

/// Of how many keys, which are its first arguments, a command of that name, in any case, may name
/// what it changes.
std::size_t keys_with_named_changes(std::string_view command);

/// What a command changes; nothing if it does not name all of it, also of one that the server will
/// refuse. `words`: its name, in any case, and its arguments.
std::vector<NamedChange> changes_named_by(std::span<const std::string_view> words);

/// Whether a command of that name, in any case, changes of a key nothing but the groups of a
/// stream.
bool names_only_groups(std::string_view command);

/// What an event tells by itself, without the command; null if nothing.
const NamedChange* change_named_by(std::string_view event);

}  // namespace rdmasync::master

#pragma once

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

/// What a command is about to change, as far as its words tell.
struct NamedChange {
  std::string key;
  std::string_view event;         ///< by which the server tells of it
  std::vector<ByteRange> ranges;  ///< of a string that stays one, besides what is added to its end
};

/// Of a command that names all that it changes; nothing of any other, also of one that the server
/// will refuse. `words`: its name, in any case, and its arguments.
std::optional<NamedChange> change_named_by(std::span<const std::string_view> words);

}  // namespace rdmasync::master

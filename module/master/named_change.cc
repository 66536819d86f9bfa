#include "module/master/named_change.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "rdmasync/number.h"

namespace rdmasync::master {

namespace {

using Words = std::span<const std::string_view>;

constexpr std::uint64_t kBitsOfByte = 8;
// No string of any server is longer.
constexpr std::uint64_t kMost = std::uint64_t{1} << 40;

bool same_word(std::string_view a, std::string_view b) {
  const auto same = [](unsigned char x, unsigned char y) { return std::tolower(x) == y; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), same);
}

std::optional<std::uint64_t> offset_in(std::string_view word) {
  const auto number = to_number<std::uint64_t>(word);
  return number && *number < kMost ? number : std::nullopt;
}

ByteRange bytes_of_bits(std::uint64_t first, std::uint64_t count) {
  return {first / kBitsOfByte, (first + count - 1) / kBitsOfByte + 1};
}

/// SETBIT key offset value
bool setbit(Words words, NamedChange& change) {
  const auto offset = words.size() == 4 ? offset_in(words[2]) : std::nullopt;
  if (!offset) {
    return false;
  }
  change.ranges.push_back(bytes_of_bits(*offset, 1));
  return true;
}

/// SETRANGE key offset value
bool setrange(Words words, NamedChange& change) {
  const auto offset = words.size() == 4 ? offset_in(words[2]) : std::nullopt;
  if (!offset) {
    return false;
  }
  change.ranges.push_back({*offset, *offset + words[3].size()});
  return true;
}

/// APPEND key value
bool append(Words words, NamedChange&) {
  return words.size() == 3;
}

/// u8, i16 and their like.
std::optional<std::uint64_t> bits_of_type(std::string_view type) {
  if (type.empty() || (std::tolower(type[0]) != 'u' && std::tolower(type[0]) != 'i')) {
    return std::nullopt;
  }
  const auto bits = to_number<std::uint64_t>(type.substr(1));
  return bits && *bits > 0 && *bits <= 64 ? bits : std::nullopt;
}

/// BITFIELD key [GET type offset | SET type offset value | INCRBY type offset value |
/// OVERFLOW how]..., where the offset #n is that of the n-th of the type
bool bitfield(Words words, NamedChange& change) {
  for (std::size_t i = 2; i < words.size();) {
    if (same_word(words[i], "overflow")) {
      i += 2;
      continue;
    }
    const bool reads = same_word(words[i], "get");
    const std::size_t size = reads ? 3 : 4;
    if (words.size() - i < size ||
        (!reads && !same_word(words[i], "set") && !same_word(words[i], "incrby"))) {
      return false;
    }
    const auto bits = bits_of_type(words[i + 1]);
    std::string_view where = words[i + 2];
    const bool counts = where.starts_with('#');
    where.remove_prefix(counts ? 1 : 0);
    const auto offset = offset_in(where);
    if (!bits || !offset) {
      return false;
    }
    if (!reads) {
      change.ranges.push_back(bytes_of_bits(counts ? *offset * *bits : *offset, *bits));
    }
    i += size;
  }
  return true;
}

bool time_only(Words, NamedChange&) {
  return true;
}

struct NamingCommand {
  std::string_view name;
  std::string_view event;
  bool (*read)(Words, NamedChange&);
};

constexpr std::array kNamingCommands = {
    NamingCommand{"append", "append", append},       NamingCommand{"bitfield", "setbit", bitfield},
    NamingCommand{"expire", "expire", time_only},    NamingCommand{"expireat", "expire", time_only},
    NamingCommand{"persist", "persist", time_only},  NamingCommand{"pexpire", "expire", time_only},
    NamingCommand{"pexpireat", "expire", time_only}, NamingCommand{"setbit", "setbit", setbit},
    NamingCommand{"setrange", "setrange", setrange},
};

}  // namespace

std::optional<NamedChange> change_named_by(Words words) {
  const auto* const known =
      std::find_if(kNamingCommands.begin(), kNamingCommands.end(),
                   [&](const NamingCommand& one) { return same_word(words.front(), one.name); });
  if (known == kNamingCommands.end() || words.size() < 2) {
    return std::nullopt;
  }
  NamedChange change{.key = std::string(words[1]), .event = known->event, .ranges = {}};
  if (!known->read(words, change)) {
    return std::nullopt;
  }
  return change;
}

}  // namespace rdmasync::master

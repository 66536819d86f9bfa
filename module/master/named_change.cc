#include "module/master/named_change.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>

#include "rdmasync/number.h"

namespace rdmasync::master {

namespace {

using Words = std::span<const std::string_view>;
using Changes = std::vector<NamedChange>;

constexpr std::uint64_t kBitsOfByte = 8;
// No string of any server is longer.
constexpr std::uint64_t kMost = std::uint64_t{1} << 40;

bool same_word(std::string_view a, std::string_view b) {
  const auto same = [](unsigned char x, unsigned char y) { return std::tolower(x) == y; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), same);
}

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(),
                     [word](std::string_view one) { return same_word(word, one); });
}

std::optional<std::uint64_t> offset_in(std::string_view word) {
  const auto number = to_number<std::uint64_t>(word);
  return number && *number < kMost ? number : std::nullopt;
}

ByteRange bytes_of_bits(std::uint64_t first, std::uint64_t count) {
  return {first / kBitsOfByte, (first + count - 1) / kBitsOfByte + 1};
}

/// Every `step`-th word from `first` on, up to the end.
void take_elements(Words words, std::size_t first, std::size_t step, NamedChange& change) {
  for (std::size_t i = first; i < words.size(); i += step) {
    change.elements.emplace_back(words[i]);
  }
}

// Each of these fills in what a command changes of its first key, the word after its name, and
// returns whether its words can be right.

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
    if (words.size() - i < size || (!reads && !is_one_of(words[i], {"set", "incrby"}))) {
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

/// HSET key field value [field value]..., HSETNX, HINCRBY and HINCRBYFLOAT
bool every_second(Words words, NamedChange& change) {
  take_elements(words, 2, 2, change);
  return words.size() >= 4 && words.size() % 2 == 0;
}

/// HDEL key field..., SADD, SREM and ZREM
bool all(Words words, NamedChange& change) {
  take_elements(words, 2, 1, change);
  return words.size() >= 3;
}

/// [option [argument]]... FIELDS count field..., each field of `size` words, in the words from
/// `begin` on
bool counted_fields(Words words, std::size_t begin, std::size_t size, NamedChange& change) {
  const auto* const fields =
      std::find_if(words.data() + begin, words.data() + words.size(),
                   [](std::string_view word) { return same_word(word, "fields"); });
  const auto first = static_cast<std::size_t>(fields - words.data()) + 2;
  if (first >= words.size()) {
    return false;
  }
  const auto count = offset_in(words[first - 1]);
  if (!count || words.size() - first != *count * size) {
    return false;  // options may follow the fields, too
  }
  take_elements(words, first, size, change);
  return true;
}

/// HEXPIRE key time [NX | XX | GT | LT] FIELDS count field... and its like
bool hexpire(Words words, NamedChange& change) {
  return words.size() > 3 && counted_fields(words, 3, 1, change);
}

/// HPERSIST key FIELDS count field..., HGETDEL and HGETEX
bool fields_only(Words words, NamedChange& change) {
  return words.size() > 2 && counted_fields(words, 2, 1, change);
}

/// HSETEX key [option [argument]]... FIELDS count field value [field value]...
bool hsetex(Words words, NamedChange& change) {
  return words.size() > 2 && counted_fields(words, 2, 2, change);
}

/// ZADD key [option]... score member [score member]...
bool zadd(Words words, NamedChange& change) {
  std::size_t first = 2;
  while (first < words.size() && is_one_of(words[first], {"nx", "xx", "gt", "lt", "ch", "incr"})) {
    ++first;
  }
  take_elements(words, first + 1, 2, change);
  return words.size() > first && (words.size() - first) % 2 == 0;
}

/// GEOADD key [option]... longitude latitude member [longitude latitude member]...
bool geoadd(Words words, NamedChange& change) {
  std::size_t first = 2;
  while (first < words.size() && is_one_of(words[first], {"nx", "xx", "ch"})) {
    ++first;
  }
  take_elements(words, first + 2, 3, change);
  return words.size() > first && (words.size() - first) % 3 == 0;
}

/// ZINCRBY key increment member
bool zincrby(Words words, NamedChange& change) {
  take_elements(words, 3, 1, change);
  return words.size() == 4;
}

using Events = std::array<std::string_view, 4>;

struct NamingCommand {
  std::string_view name;
  Events events;
  bool (*read)(Words, NamedChange&);
};

constexpr auto kNamingCommands = std::to_array<NamingCommand>({
    {"append", {"append"}, append},
    {"bitfield", {"setbit"}, bitfield},
    {"expire", {"expire"}, time_only},
    {"expireat", {"expire"}, time_only},
    {"geoadd", {"zadd"}, geoadd},
    {"hdel", {"hdel"}, all},
    {"hexpire", {"hexpire", "hdel", "hexpired"}, hexpire},
    {"hexpireat", {"hexpire", "hdel", "hexpired"}, hexpire},
    {"hgetdel", {"hdel"}, fields_only},
    {"hgetex", {"hexpire", "hpersist", "hdel", "hexpired"}, fields_only},
    {"hincrby", {"hincrby"}, every_second},
    {"hincrbyfloat", {"hincrbyfloat"}, every_second},
    {"hmset", {"hset"}, every_second},
    {"hpersist", {"hpersist"}, fields_only},
    {"hpexpire", {"hexpire", "hdel", "hexpired"}, hexpire},
    {"hpexpireat", {"hexpire", "hdel", "hexpired"}, hexpire},
    {"hset", {"hset"}, every_second},
    {"hsetex", {"hset", "hexpire", "hdel", "hexpired"}, hsetex},
    {"hsetnx", {"hset"}, every_second},
    {"persist", {"persist"}, time_only},
    {"pexpire", {"expire"}, time_only},
    {"pexpireat", {"expire"}, time_only},
    {"sadd", {"sadd"}, all},
    {"setbit", {"setbit"}, setbit},
    {"setrange", {"setrange"}, setrange},
    {"srem", {"srem"}, all},
    {"zadd", {"zadd", "zincr"}, zadd},
    {"zincrby", {"zincr"}, zincrby},
    {"zrem", {"zrem"}, all},
});

constexpr std::string_view kSmove = "smove";

/// SMOVE source destination member
Changes smove(Words words) {
  if (words.size() != 4) {
    return {};
  }
  const std::vector<std::string> member{std::string(words[3])};
  return {{.key = std::string(words[1]), .events = {"srem"}, .elements = member},
          {.key = std::string(words[2]), .events = {"sadd"}, .elements = member}};
}

const NamingCommand* find(std::string_view command) {
  const auto* const known =
      std::find_if(kNamingCommands.begin(), kNamingCommands.end(),
                   [&](const NamingCommand& one) { return same_word(command, one.name); });
  return known == kNamingCommands.end() ? nullptr : known;
}

}  // namespace

bool names_changes(std::string_view command) {
  return find(command) != nullptr || same_word(command, kSmove);
}

std::vector<NamedChange> changes_named_by(Words words) {
  if (same_word(words.front(), kSmove)) {
    return smove(words);
  }
  const NamingCommand* const known = find(words.front());
  if (known == nullptr || words.size() < 2) {
    return {};
  }
  NamedChange change{.key = std::string(words[1]), .events = known->events};
  if (!known->read(words, change)) {
    return {};
  }
  return {std::move(change)};
}

}  // namespace rdmasync::master

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
constexpr std::uint64_t kMostOffset = std::uint64_t{1} << 40;

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
  return number && *number < kMostOffset ? number : std::nullopt;
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

std::optional<std::int64_t> index_in(std::string_view word) {
  const auto number = to_number<std::int64_t>(word);
  const auto most = static_cast<std::int64_t>(kMostOffset);
  return number && *number > -most && *number < most ? number : std::nullopt;
}

/// LSET key index element
bool lset(Words words, NamedChange& change) {
  const auto index = words.size() == 4 ? index_in(words[2]) : std::nullopt;
  if (!index) {
    return false;
  }
  change.list = ListChange{.replaced = index};
  return true;
}

/// LTRIM key first last
bool ltrim(Words words, NamedChange& change) {
  if (words.size() != 4) {
    return false;
  }
  const auto first = index_in(words[2]);
  const auto last = index_in(words[3]);
  if (!first || !last) {
    return false;
  }
  change.list = ListChange{.kept = ListChange::Range{*first, *last}};
  return true;
}

/// XDEL key id...
bool xdel(Words words, NamedChange& change) {
  take_elements(words, 2, 1, change);
  change.stream = true;
  return words.size() >= 3;
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
    {"lset", {"lset"}, lset},
    {"ltrim", {"ltrim"}, ltrim},
    {"persist", {"persist"}, time_only},
    {"pexpire", {"expire"}, time_only},
    {"pexpireat", {"expire"}, time_only},
    {"sadd", {"sadd"}, all},
    {"setbit", {"setbit"}, setbit},
    {"setrange", {"setrange"}, setrange},
    {"srem", {"srem"}, all},
    {"xdel", {"xdel"}, xdel},
    {"zadd", {"zadd", "zincr"}, zadd},
    {"zincrby", {"zincr"}, zincrby},
    {"zrem", {"zrem"}, all},
});

std::optional<End> end_in(std::string_view word) {
  if (same_word(word, "left")) {
    return End::kLeft;
  }
  return same_word(word, "right") ? std::optional(End::kRight) : std::nullopt;
}

// Between two lists, the events tell all.
Changes move_within(std::string_view source, std::string_view destination, std::optional<End> from,
                    std::optional<End> to) {
  if (source != destination || !from || !to) {
    return {};
  }
  // The first event comes when both is done.
  return {{.key = std::string(source),
           .events = {*to == End::kLeft ? "lpush" : "rpush"},
           .list = ListChange{.pushed = to, .popped = from}},
          {.key = std::string(source),
           .events = {*from == End::kLeft ? "lpop" : "rpop"},
           .list = ListChange{}}};
}

/// LMOVE source destination LEFT | RIGHT LEFT | RIGHT, BLMOVE with a timeout
Changes lmove(Words words) {
  if (words.size() != 5 && words.size() != 6) {
    return {};
  }
  return move_within(words[1], words[2], end_in(words[3]), end_in(words[4]));
}

/// RPOPLPUSH source destination, BRPOPLPUSH with a timeout
Changes rpoplpush(Words words) {
  if (words.size() != 3 && words.size() != 4) {
    return {};
  }
  return move_within(words[1], words[2], End::kRight, End::kLeft);
}

/// SMOVE source destination member
Changes smove(Words words) {
  if (words.size() != 4) {
    return {};
  }
  const std::vector<std::string> member{std::string(words[3])};
  return {{.key = std::string(words[1]), .events = {"srem"}, .elements = member},
          {.key = std::string(words[2]), .events = {"sadd"}, .elements = member}};
}

/// Those that may change two keys.
struct MovingCommand {
  std::string_view name;
  Changes (*read)(Words);
};

constexpr auto kMovingCommands = std::to_array<MovingCommand>({
    {"blmove", lmove},
    {"brpoplpush", rpoplpush},
    {"lmove", lmove},
    {"rpoplpush", rpoplpush},
    {"smove", smove},
});

template <typename Command, std::size_t kSize>
const Command* find(const std::array<Command, kSize>& commands, std::string_view name) {
  const auto* const known = std::find_if(commands.begin(), commands.end(), [&](const Command& one) {
    return same_word(name, one.name);
  });
  return known == commands.end() ? nullptr : known;
}

}  // namespace

std::size_t keys_with_named_changes(std::string_view command) {
  constexpr std::size_t kSourceAndDestination = 2;
  if (find(kMovingCommands, command) != nullptr) {
    return kSourceAndDestination;
  }
  return find(kNamingCommands, command) != nullptr ? 1 : 0;
}

std::vector<NamedChange> changes_named_by(Words words) {
  if (const MovingCommand* const moving = find(kMovingCommands, words.front())) {
    return moving->read(words);
  }
  const NamingCommand* const known = find(kNamingCommands, words.front());
  if (known == nullptr || words.size() < 2) {
    return {};
  }
  NamedChange change{.key = std::string(words[1]), .events = known->events};
  if (!known->read(words, change)) {
    return {};
  }
  return {std::move(change)};
}

bool names_only_groups(std::string_view command) {
  return is_one_of(command, {"xack", "xautoclaim", "xclaim", "xreadgroup"});
}

const NamedChange* change_named_by(std::string_view event) {
  struct NamingEvent {
    std::string_view name;
    NamedChange change;
  };
  static const auto naming_events = std::to_array<NamingEvent>({
      {"hexpired", {.ended = true}},
      {"lpop", {.list = ListChange{.popped = End::kLeft}}},
      {"lpush", {.list = ListChange{.pushed = End::kLeft}}},
      {"rpop", {.list = ListChange{.popped = End::kRight}}},
      {"rpush", {.list = ListChange{.pushed = End::kRight}}},
      {"xadd", {.stream = true}},
      {"xgroup-create", {.stream = true}},
      {"xgroup-createconsumer", {.stream = true}},
      {"xgroup-delconsumer", {.stream = true}},
      {"xgroup-destroy", {.stream = true}},
      {"xgroup-setid", {.stream = true}},
      {"xtrim", {.stream = true}},
  });
  const auto* const known =
      std::find_if(naming_events.begin(), naming_events.end(),
                   [event](const NamingEvent& one) { return one.name == event; });
  return known == naming_events.end() ? nullptr : &known->change;
}

}  // namespace rdmasync::master

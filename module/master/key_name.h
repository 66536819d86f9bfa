#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace rdmasync::master {

/// A key and the database that it is in.
using KeyName = std::pair<std::uint32_t, std::string>;
using KeyNameView = std::pair<std::uint32_t, std::string_view>;

/// By database, so that views need not be copied to look them up.
struct ByDatabase {
  using is_transparent = void;

  template <typename A, typename B>
  bool operator()(const A& a, const B& b) const {
    return KeyNameView(a) < KeyNameView(b);
  }
};

/// Whether a map of keys has one of that name, in any database.
template <typename Map>
bool has_in_any_database(const Map& map, std::string_view name) {
  for (auto at = map.begin(); at != map.end();) {
    const std::uint32_t db = at->first.first;
    if (map.contains(KeyNameView{db, name})) {
      return true;
    }
    at = map.lower_bound(KeyNameView{db + 1, {}});
  }
  return false;
}

/// Puts the keys of two databases in each other's place, in a map or a set of keys.
template <typename Container>
void swap_databases(Container& container, std::uint32_t a, std::uint32_t b) {
  const auto change_places = [a, b](std::uint32_t& db) { db = db == a ? b : db == b ? a : db; };
  Container swapped;
  while (!container.empty()) {
    auto node = container.extract(container.begin());
    if constexpr (requires { node.key(); }) {
      change_places(node.key().first);
    } else {
      change_places(node.value().first);
    }
    swapped.insert(std::move(node));
  }
  container = std::move(swapped);
}

}  // namespace rdmasync::master

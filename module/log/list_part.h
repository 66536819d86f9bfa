#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "module/redis/rdb.h"

/// What a part of a list says: how much goes from its ends, and then elements that come.
namespace rdmasync::log {

/// The head of a part of a list.
struct ListHead {
  bool begins = false;           ///< what the key was before is no more
  std::uint64_t from_left = 0;   ///< elements that go from the left end
  std::uint64_t from_right = 0;  ///< then from the right end
};

struct ListElement {
  enum class Place : char { kLeftEnd = 0, kRightEnd = 1, kInPlace = 2 };
  Place place = Place::kRightEnd;
  std::uint64_t index = 0;  ///< of the one that it replaces, from the left; in place only
  std::string_view value = {};
};

std::string list_head(const ListHead& head);
void append_list_element(std::string& out, const ListElement& element);

/// Both throw Error(kProtocol) for what the two above have not made.
ListHead take_list_head(redis::rdb::Reader& from);
/// Nothing after the last. The value is part of what is read from.
std::optional<ListElement> take_list_element(redis::rdb::Reader& from);

}  // namespace rdmasync::log

#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rdmasync::redis {

/// Of an entry of a stream.
struct StreamId {
  std::uint64_t ms = 0;
  std::uint64_t sequence = 0;
  // clang-tidy 14 takes the 0 in what is generated for a null pointer.
  auto operator<=>(const StreamId&) const = default;  // NOLINT(modernize-use-nullptr)
};

/// As commands have it, "ms-sequence"; of "ms" alone the sequence is 0.
std::string to_text(const StreamId& id);
std::optional<StreamId> stream_id(std::string_view text);

}  // namespace rdmasync::redis

#include "module/redis/stream_id.h"

#include "rdmasync/number.h"

namespace rdmasync::redis {

std::string to_text(const StreamId& id) {
  return std::to_string(id.ms) + "-" + std::to_string(id.sequence);
}

std::optional<StreamId> stream_id(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto ms = to_number<std::uint64_t>(text.substr(0, dash));
  if (dash == std::string_view::npos || !ms) {
    return ms ? std::optional(StreamId{*ms, 0}) : std::nullopt;
  }
  const auto sequence = to_number<std::uint64_t>(text.substr(dash + 1));
  return sequence ? std::optional(StreamId{*ms, *sequence}) : std::nullopt;
}

}  // namespace rdmasync::redis

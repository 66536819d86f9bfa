#include "module/fault.h"

#include <array>
#include <cstdlib>
#include <string_view>

namespace rdmasync {

bool planted(Fault fault) {
  static constexpr auto kNames = std::to_array<std::string_view>(
      {"no-filter", "no-notifications", "not-sticky", "no-ping", "first-wins", "real-id",
       "filler-shown", "served-too-early", "any-hello", "no-hidden-keys", "any-database",
       "short-range", "element-forgotten", "no-field-times", "former-life", "end-forgotten",
       "groups-forgotten", "unknown-trusted", "refused-part"});
  static_assert(kNames.size() == static_cast<std::size_t>(Fault::kRefusedPart) + 1);
  static const char* const chosen = std::getenv("RDMASYNC_FAULT");
  return chosen != nullptr && kNames.at(static_cast<std::size_t>(fault)) == chosen;
}

}  // namespace rdmasync

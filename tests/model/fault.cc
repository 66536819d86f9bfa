#include "module/fault.h"

#include <array>
#include <cstdlib>
#include <string_view>

namespace rdmasync {

bool planted(Fault fault) {
  static constexpr std::array<std::string_view, 12> kNames = {
      "no-filter",    "no-notifications", "not-sticky", "no-ping",        "first-wins",  "real-id",
      "filler-shown", "served-too-early", "any-hello",  "no-hidden-keys", "any-database"};
  static const char* const chosen = std::getenv("RDMASYNC_FAULT");
  return chosen != nullptr && kNames.at(static_cast<std::size_t>(fault)) == chosen;
}

}  // namespace rdmasync

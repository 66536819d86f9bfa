#include "module/fault.h"

#include <array>
#include <cstdlib>
#include <string_view>

namespace rdmasync {

bool planted(Fault fault) {
  static constexpr std::array<std::string_view, 5> kNames = {"no-filter", "no-notifications",
                                                             "not-sticky", "no-ping", "first-wins"};
  static const char* const chosen = std::getenv("RDMASYNC_FAULT");
  return chosen != nullptr && kNames.at(static_cast<std::size_t>(fault)) == chosen;
}

}  // namespace rdmasync

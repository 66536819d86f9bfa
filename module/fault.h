#pragma once

namespace rdmasync {

/// Ways to break the module, in the order of their names in tests/model/fault.cc: planted one at a
/// time, in a build of its own, to see that the tests can fail.
enum class Fault {
  kNoFilter,         ///< what writes silently is not seen
  kNoNotifications,  ///< what notifies is not seen
  kNotSticky,        ///< what was named by a silent command is published once, not at the cut
  kNoPing,           ///< the stream after the cut begins in any database
  kFirstWins,        ///< a later record of a key is dropped
};

#ifdef RDMASYNC_FAULTS
bool planted(Fault fault);
#else
constexpr bool planted(Fault) {
  return false;
}
#endif

}  // namespace rdmasync

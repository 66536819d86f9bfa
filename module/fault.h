#pragma once

namespace rdmasync {

/// Ways to break the module, in the order of their names in tests/model/fault.cc: planted one at a
/// time, in a build of its own, to see that the tests can fail.
enum class Fault {
  kNoFilter,          ///< what writes silently is not seen
  kNoNotifications,   ///< what notifies is not seen
  kNotSticky,         ///< what was named by a silent command is published once, not at the cut
  kNoPing,            ///< the stream after the cut begins in any database
  kFirstWins,         ///< a later record of a key is dropped
  kRealId,            ///< FULLRESYNC tells the master's replication id, and not that of a session
  kFillerShown,       ///< a sub-replica is given filler where its master's stream has writes
  kServedTooEarly,    ///< a sub-replica is served by one that has not taken up its master's stream
  kAnyHello,          ///< a replica is believed that the link of another host is its own
  kNoHiddenKeys,      ///< a master that is a replica leaves out what has expired and is not deleted
  kAnyDatabase,       ///< a master that is a replica does not say where its stream goes on
  kShortRange,        ///< the last byte of what was written to a large string is left out
  kElementForgotten,  ///< one of a collection's that was written is left out
  kNoFieldTimes,      ///< a hash that goes in parts loses the times of its fields
  kFormerLife,        ///< what a collection was before its first part stays in it
  kEndForgotten,      ///< what was taken from the left end of a list stays there on the replica
  kGroupsForgotten,   ///< what is pending of a stream is not published again
  kUnknownTrusted,    ///< a write of a collection that names nothing has changed nothing
  kRefusedPart,  ///< a replica in cluster mode refuses a part of the copy, which it has to survive
};

#ifdef RDMASYNC_FAULTS
bool planted(Fault fault);
#else
constexpr bool planted(Fault) {
  return false;
}
#endif

}  // namespace rdmasync

#pragma once

#include <string>

#include "tests/support/server.h"

namespace rdmasync::test {

struct CompareOptions {
  /// Also OBJECT ENCODING of every key, and how many entries each stream group has read. Only for
  /// a dataset that was at rest during the sync: what a value has been through shows in its
  /// encoding, and Redis's replication stream does not carry the count.
  bool exact = false;
};

/// Waits until the replica has applied all that the master has written. Writers must be at rest.
void wait_offsets_equal(Server& master, Server& replica);

/// Compares two datasets at one replication offset: digest, functions, expiry of every key to the
/// millisecond, and of streams what the digest does not see (groups, consumers, pending entries).
/// Empty if equal, else the first difference found.
std::string first_difference(Server& master, Server& replica, CompareOptions options = {});

/// DEBUG DIGEST.
std::string digest(Server& server);

}  // namespace rdmasync::test

#pragma once

#include <cstdint>
#include <string_view>

#include "module/replica/staging.h"

/// Staged keys enter the keyspace through the module API. Main thread, inside of a load.
namespace rdmasync::replica {

/// Which of them.
enum class Insert {
  kAll,
  kNotInStub,  ///< what a stub RDB with entries leaves: direct values, and payloads of new types
};

/// Gives the server's clients a turn now and then, unless they are served meanwhile. Throws Error
/// for a key that the server refuses.
void insert(Staging& staging, Insert which);

/// The address that the read of this key's value filled in the last load, or 0: for tests that no
/// copy was made.
std::uint64_t linked_address(std::uint32_t db, std::string_view key);

/// Whether to remember addresses for linked_address().
void remember_linked_addresses(bool on);

}  // namespace rdmasync::replica

#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "module/replica/staging.h"

namespace rdmasync::replica {

/// Registers the data type through which the loader calls back. In OnLoad. Throws Error(kRefused).
void register_linker(RedisModuleCtx* ctx);

/// For the time of a load: the staged values that the stub RDB with this token is to link. Made and
/// destroyed on the sync's thread; the loader uses it on the main thread.
class PendingLink {
 public:
  PendingLink(std::string token, std::shared_ptr<Staging> staging);
  PendingLink(const PendingLink&) = delete;
  PendingLink& operator=(const PendingLink&) = delete;
  ~PendingLink();

  /// Whether every value has entered the keyspace.
  bool linked() const;
};

/// Server events: a load begins that goes into databases beside the present ones, which they
/// replace at its end, and until then no value can be linked; and it has ended, well or not. Main
/// thread.
void load_beside_began();
void load_beside_ended(bool completed);

/// Whether such a load is under way. Main thread.
bool loads_beside();

/// The address that the read of this key's value filled in the last load, or 0: for tests that no
/// copy was made. Main thread.
std::uint64_t linked_address(std::uint32_t db, std::string_view key);

/// Whether to remember addresses for linked_address().
void remember_linked_addresses(bool on);

}  // namespace rdmasync::replica

#pragma once

#include <memory>
#include <string>

#include "module/replica/insert.h"
#include "module/replica/staging.h"

namespace rdmasync::replica {

/// Registers the data type through whose auxiliary field the loader calls back. In OnLoad. Throws
/// Error(kRefused).
void register_stub_type(RedisModuleCtx* ctx);

/// For the time of a load: what the stub RDB with this token stands for. Made and destroyed on the
/// sync's thread; the loader uses it on the main thread.
class PendingLoad {
 public:
  PendingLoad(std::string token, std::shared_ptr<Staging> staging, Insert which);
  PendingLoad(const PendingLoad&) = delete;
  PendingLoad& operator=(const PendingLoad&) = delete;
  ~PendingLoad();

  /// Whether all of it has entered the keyspace.
  bool inserted() const;
};

/// Server events: a load begins that goes into databases beside the present ones, which they
/// replace at its end, and until then the module API does not reach them; and it has ended, well or
/// not. Main thread.
void load_beside_began();
void load_beside_ended(bool completed);

/// Whether such a load is under way. Main thread.
bool loads_beside();

}  // namespace rdmasync::replica

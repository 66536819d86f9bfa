#pragma once

#include <cstdint>
#include <optional>

#include "module/redis/api.h"

namespace rdmasync::replica {

/// The part of this server's backlog that is filler, where its master's stream has writes: a
/// sub-replica that asks for any of it must get a full sync instead. Main thread only.
class FillerBacklog {
 public:
  /// Of the history that begins with the dataset just loaded, up to that offset.
  void ends_at(std::int64_t offset) { end_ = offset; }
  void forget() { end_.reset(); }

  /// From the command filter.
  void filter_psync(RedisModuleCommandFilterCtx* command);

 private:
  std::optional<std::int64_t> end_;
};

}  // namespace rdmasync::replica

#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "module/redis/client_list.h"

namespace rdmasync::master {

/// What clients had begun before anybody watched: transactions of which commands were queued, and
/// XREADGROUP that blocks. What they name is unknown, and some notify nobody when they run. Main
/// thread only.
class OpenTransactions {
 public:
  /// Those that there are now.
  explicit OpenTransactions(RedisModuleCtx* ctx);

  bool any() const { return !queued_.empty(); }
  /// Whether one has ended since the last look, and so may have run.
  bool look(RedisModuleCtx* ctx);

  /// Whether there was a blocked XREADGROUP. A command that writes its key serves it, and notifies
  /// of that key; SWAPDB serves it, too, and names none.
  bool readers() const { return readers_; }

 private:
  struct Queue {
    std::int64_t commands = 0;
    std::int64_t bytes = 0;
  };
  using Queues = std::map<std::string, Queue>;  ///< by client id
  static Queues queues_of(const redis::ClientList& list);

  Queues queued_;
  bool readers_ = false;
};

}  // namespace rdmasync::master

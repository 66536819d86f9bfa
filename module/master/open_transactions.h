#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "module/redis/api.h"

namespace rdmasync::master {

/// Transactions of which commands were queued before anybody watched: what these commands name is
/// unknown, and some notify nobody when they run. Main thread only.
class OpenTransactions {
 public:
  /// Those that there are now.
  explicit OpenTransactions(RedisModuleCtx* ctx);

  bool any() const { return !queued_.empty(); }
  /// Whether one has ended since the last look, and so may have run.
  bool look(RedisModuleCtx* ctx);

 private:
  struct Queue {
    std::int64_t commands = 0;
    std::int64_t bytes = 0;
  };
  using Queues = std::map<std::string, Queue>;  ///< by client id
  static Queues parse(std::string_view client_list);

  Queues queued_;
};

}  // namespace rdmasync::master

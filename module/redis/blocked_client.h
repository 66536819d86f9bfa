#pragma once

#include <functional>
#include <string>

#include "module/redis/api.h"

namespace rdmasync::redis {

/// A client whose command is answered later. Main thread only.
class BlockedClient {
 public:
  using Answer = std::function<void(RedisModuleCtx*)>;

  explicit BlockedClient(RedisModuleCtx* ctx);
  BlockedClient(const BlockedClient&) = delete;
  BlockedClient& operator=(const BlockedClient&) = delete;
  /// Answers with an error if nothing else was answered.
  ~BlockedClient();

  /// `answer` writes the reply, soon; not at all if the client is gone by then.
  void reply(Answer answer);

 private:
  RedisModuleBlockedClient* client_;
};

}  // namespace rdmasync::redis

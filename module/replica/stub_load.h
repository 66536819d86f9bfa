#pragma once

#include <functional>
#include <memory>
#include <string>

#include "module/redis/api.h"

namespace rdmasync::replica {

/// Registers the data type through whose auxiliary field the loader calls back. In OnLoad. Throws
/// Error(kRefused).
void register_stub_type(RedisModuleCtx* ctx);

/// For the time of a load: what the stub RDB with this token stands for. Made and destroyed on the
/// sync's thread; the loader uses it on the main thread.
class PendingLoad {
 public:
  /// Brings the dataset into the keyspace, on the main thread; it throws to end the load.
  using Insert = std::function<void()>;
  /// Brings a part of it there, for a context whose client is this server's master; whether that
  /// was the last. It is destroyed on the main thread.
  using InsertPart = std::function<bool(RedisModuleCtx*)>;

  PendingLoad(std::string token, Insert insert);
  /// The parts come after the load, by RDMASYNC.INSERT. Until then clients are told that the server
  /// loads.
  PendingLoad(std::string token, InsertPart part);
  PendingLoad(const PendingLoad&) = delete;
  PendingLoad& operator=(const PendingLoad&) = delete;
  ~PendingLoad();

  /// Whether all of it has entered the keyspace, or some of it was refused.
  bool inserted() const;
  bool refused() const;

  struct Content;

 private:
  explicit PendingLoad(std::shared_ptr<Content> content);

  std::shared_ptr<Content> content_;
};

/// Server events: a load begins that goes into databases beside the present ones, which they
/// replace at its end, and until then the module API does not reach them; and it has ended, well or
/// not. Main thread.
void load_beside_began();
void load_beside_ended(bool completed);

/// RDMASYNC.INSERT. Replies, if not to a master. Main thread. Throws Error(kUsage).
void insert_part(RedisModuleCtx* ctx);

}  // namespace rdmasync::replica

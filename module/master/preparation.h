#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "module/log/ring.h"
#include "module/redis/api.h"
#include "rdma/fabric.h"

namespace rdmasync::master {

/// What an export needs before it can begin, made on a thread of its own: opening a device and
/// registering a log that nobody has touched take milliseconds. Clients wait for it, blocked.
class Preparation {
 public:
  struct Wanted {
    std::string fabric;
    std::string bind;
    rdma::Fabric* open = nullptr;  ///< if it listens there already; outlives this
    std::size_t log_bytes = 0;
  };
  struct Made {
    std::unique_ptr<rdma::Fabric> fabric;  ///< these two unless one was open
    std::unique_ptr<rdma::Listener> listener;
    std::unique_ptr<log::Ring> log;
    std::optional<Error> error;
  };

  explicit Preparation(Wanted wanted);
  Preparation(const Preparation&) = delete;
  Preparation& operator=(const Preparation&) = delete;
  ~Preparation() = default;

  /// Blocks the client until it is over; then the server calls `reply`, for which `data` is the
  /// blocked client's private data. Main thread.
  void block(RedisModuleCtx* ctx, RedisModuleCmdFunc reply, void* data);

  /// What was made, for the caller to take from; null as long as it is not over. Main thread.
  Made* made();

  /// When it was over; nothing as long as it is not.
  std::optional<std::chrono::steady_clock::time_point> over_since();

 private:
  struct Waiting {
    RedisModuleBlockedClient* client;
    void* data;
  };
  void run();

  const Wanted wanted_;
  Made made_;
  std::mutex mutex_;
  std::optional<std::chrono::steady_clock::time_point> over_since_;
  std::vector<Waiting> waiting_;
  std::jthread thread_;  ///< last: joined first
};

}  // namespace rdmasync::master

#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <string>
#include <thread>

#include "module/replica/control_connection.h"

namespace rdmasync::replica {

/// Holds the master's replication stream from the cut on, so that its backlog need not outlast the
/// load. It is a replica to the master, and acknowledges what this server has applied.
class Relay {
 public:
  struct Start {
    std::string replication_id;
    std::int64_t offset = 0;  ///< the stream after it is wanted
    int listening_port = 0;   ///< of this server, for the master's INFO
    std::size_t limit = 0;    ///< bytes to hold at most
  };

  /// Throws Error(kRefused) if the master's backlog no longer has the offset.
  Relay(const MasterAddress& master, const Start& start, std::stop_token stop);
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;
  ~Relay() = default;

  /// Takes what has arrived since the last call. Throws what ended the stream: Error(kPeerLost) or,
  /// when the limit is reached, Error(kResources).
  std::string take();

  /// Whether the stream has ended: what was received is not all that there is.
  bool ended();

  /// Waits until something has arrived, or the time is over.
  void wait(std::chrono::milliseconds time);

  /// The offset after the last byte that has arrived.
  std::int64_t received() const { return received_; }

  /// What this server has applied, for the acknowledgements.
  void set_applied(std::int64_t offset) { applied_ = offset; }

 private:
  /// Throws Error(kRefused) unless the master goes on from the offset asked for.
  void await_continue();
  void run(const std::stop_token& stop);
  void acknowledge();

  ControlConnection link_;
  std::size_t limit_;
  std::atomic<std::int64_t> received_;
  std::atomic<std::int64_t> applied_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::string held_;
  std::exception_ptr ended_;
  std::jthread thread_;  ///< last: destroyed, and so joined, first
};

}  // namespace rdmasync::replica

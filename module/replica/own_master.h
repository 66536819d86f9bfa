#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>

#include "rdma/unique_fd.h"

namespace rdmasync::replica {

/// Plays the master for this very server, over one connection on the loopback interface: that is
/// how a staged dataset and the stream after it get in through the server's own replication.
///
/// For one thread of ours. Every call throws Error(kCancelled) once `stop` is requested and
/// Error(kPeerLost) when the server hangs up.
class OwnMaster {
 public:
  /// Listens on a free port of 127.0.0.1. Throws Error(kResources).
  explicit OwnMaster(std::stop_token stop);
  OwnMaster(const OwnMaster&) = delete;
  OwnMaster& operator=(const OwnMaster&) = delete;
  ~OwnMaster();

  int port() const { return port_; }

  /// Takes the one connection that is this process's own and answers its handshake up to PSYNC.
  void await_psync(std::chrono::milliseconds timeout);

  /// Answers the PSYNC: a full sync from this history, at this offset. The RDB follows.
  void begin_full_sync(std::string_view replication_id, std::int64_t offset);
  void write(std::string_view bytes);
  void end_full_sync();

  /// Throws Error(kPeerLost) if the server has hung up. Never blocks; drops what it acknowledges.
  void check_alive();

 private:
  void accept_own(std::chrono::steady_clock::time_point deadline);
  std::string read_command(std::chrono::steady_clock::time_point deadline);
  void wait_readable(int fd, std::chrono::steady_clock::time_point deadline);

  std::stop_token stop_;
  rdma::UniqueFd listener_;
  rdma::UniqueFd connection_;
  int port_ = 0;
  std::string unread_;
  std::string end_mark_;
};

}  // namespace rdmasync::replica

#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "rdma/soft/socket.h"

namespace rdmasync::rdma {

/// The endpoint of a tcp listener: "port", "addr:port" or "[v6-addr]:port".
struct TcpEndpoint {
  std::string host;  ///< empty: whatever address the reader knows the owner by
  std::string port;

  std::string print() const;
  /// Throws Error(kProtocol).
  static TcpEndpoint parse(std::string_view text);
};

/// A listening socket on a free port of that address (empty: of all), and its endpoint. Throws
/// Error(kRefused).
struct TcpBound {
  Socket socket;
  TcpEndpoint endpoint;
};
TcpBound bind_tcp(const std::string& address);

using TcpDeadline = std::chrono::steady_clock::time_point;

/// Tries every address of the host. Throws Error(kRefused), at the deadline at the latest (but for
/// the time that name resolution takes).
Socket dial_tcp(const TcpEndpoint& endpoint, TcpDeadline deadline);

/// Milliseconds until the deadline, rounded up, for poll(); 0 when it has passed.
int milliseconds_until(TcpDeadline deadline);

}  // namespace rdmasync::rdma

#pragma once

#include <chrono>
#include <string>

#include "rdma/endpoint.h"
#include "rdma/tcp/socket.h"

namespace rdmasync::rdma {

/// A listening socket on a free port of that address (empty: of all), and its endpoint. Throws
/// Error(kRefused).
struct TcpBound {
  Socket socket;
  Endpoint endpoint;
};
TcpBound bind_tcp(const std::string& address);

using TcpDeadline = std::chrono::steady_clock::time_point;

/// Tries every address of the host. Throws Error(kRefused), at the deadline at the latest (but for
/// the time that name resolution takes).
Socket dial_tcp(const Endpoint& endpoint, TcpDeadline deadline);

/// Milliseconds until the deadline, rounded up, for poll(); 0 when it has passed.
int milliseconds_until(TcpDeadline deadline);

}  // namespace rdmasync::rdma

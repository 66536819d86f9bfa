#include "rdma/tcp/address.h"

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <utility>
#include <vector>

#include "rdma/system.h"
#include "rdmasync/error.h"

namespace rdmasync::rdma {
namespace {

Endpoint local_endpoint(const Socket& socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (getsockname(socket.fd(), generic, &size) != 0) {
    throw Error(Errc::kResources, with_errno("cannot tell the port of a listening socket"));
  }
  return Endpoint::of(*generic);
}

Socket listen_on(const addrinfo& address) {
  Socket socket = Socket::open(address.ai_family);
  if (socket) {
    socket.set(IPPROTO_IPV6, IPV6_V6ONLY, 0);
    if (bind(socket.fd(), address.ai_addr, address.ai_addrlen) != 0 ||
        listen(socket.fd(), SOMAXCONN) != 0) {
      return {};
    }
  }
  return socket;
}

bool connected(const Socket& socket, const addrinfo& address, TcpDeadline deadline) {
  if (connect(socket.fd(), address.ai_addr, address.ai_addrlen) == 0) {
    return true;
  }
  if (errno != EINPROGRESS) {
    return false;
  }
  pollfd writable{socket.fd(), POLLOUT, 0};
  int ready = 0;
  do {
    ready = poll(&writable, 1, milliseconds_until(deadline));
  } while (ready < 0 && errno == EINTR);
  if (ready <= 0) {
    errno = ETIMEDOUT;
    return false;
  }
  int error = 0;
  socklen_t size = sizeof(error);
  getsockopt(socket.fd(), SOL_SOCKET, SO_ERROR, &error, &size);
  errno = error;
  return error == 0;
}

}  // namespace

TcpBound bind_tcp(const std::string& address) {
  const bool any = address.empty();
  // A socket of the unspecified IPv6 address takes IPv4 too, on hosts that have IPv6 at all.
  const std::vector<std::string> candidates =
      any ? std::vector<std::string>{"::", "0.0.0.0"} : std::vector<std::string>{address};
  for (const std::string& candidate : candidates) {
    const Addresses list = resolve({.host = candidate, .port = "0"}, AI_PASSIVE);
    for (const addrinfo* next = list.get(); next != nullptr; next = next->ai_next) {
      if (Socket socket = listen_on(*next)) {
        Endpoint endpoint = local_endpoint(socket);
        if (any) {
          endpoint.host.clear();
        }
        return {std::move(socket), std::move(endpoint)};
      }
    }
  }
  throw Error(Errc::kRefused, with_errno("cannot listen on " + (any ? "any address" : address)));
}

Socket dial_tcp(const Endpoint& endpoint, TcpDeadline deadline) {
  const Addresses list = resolve(endpoint);
  for (const addrinfo* next = list.get(); next != nullptr; next = next->ai_next) {
    Socket socket = Socket::open(next->ai_family);
    if (socket && connected(socket, *next, deadline)) {
      return socket;
    }
  }
  throw Error(Errc::kRefused, with_errno("cannot connect to " + endpoint.print() +
                                         " (is a firewall between, or the owner gone?)"));
}

int milliseconds_until(TcpDeadline deadline) {
  const auto left = deadline - std::chrono::steady_clock::now();
  return static_cast<int>(
      std::max<std::int64_t>(0, std::chrono::ceil<std::chrono::milliseconds>(left).count()));
}

}  // namespace rdmasync::rdma

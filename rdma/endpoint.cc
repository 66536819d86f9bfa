#include "rdma/endpoint.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "rdmasync/error.h"

namespace rdmasync::rdma {

std::string Endpoint::print() const {
  if (host.empty()) {
    return port;
  }
  const bool v6 = host.find(':') != std::string::npos;
  return v6 ? '[' + host + "]:" + port : host + ':' + port;
}

Endpoint Endpoint::parse(std::string_view text) {
  Endpoint endpoint;
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    endpoint.port = text;
  } else {
    std::string_view host = text.substr(0, colon);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
      host = host.substr(1, host.size() - 2);
    }
    endpoint.host = host;
    endpoint.port = text.substr(colon + 1);
  }
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (endpoint.port.empty() || endpoint.port.size() > 5 ||
      !std::all_of(endpoint.port.begin(), endpoint.port.end(), is_digit)) {
    throw Error(Errc::kProtocol, "not an address and a port: " + std::string(text));
  }
  return endpoint;
}

Endpoint Endpoint::of(const sockaddr& address) {
  const auto size = static_cast<socklen_t>(address.sa_family == AF_INET6 ? sizeof(sockaddr_in6)
                                                                         : sizeof(sockaddr_in));
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  const int failed = getnameinfo(&address, size, host.data(), host.size(), port.data(), port.size(),
                                 NI_NUMERICHOST | NI_NUMERICSERV);
  if (failed != 0) {
    throw Error(Errc::kResources,
                std::string("cannot tell the address of a listener: ") + gai_strerror(failed));
  }
  return {.host = host.data(), .port = port.data()};
}

Addresses resolve(const Endpoint& endpoint, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int failed = getaddrinfo(endpoint.host.c_str(), endpoint.port.c_str(), &hints, &list);
  if (failed != 0) {
    throw Error(Errc::kRefused, "cannot resolve '" + endpoint.host + "': " + gai_strerror(failed));
  }
  return Addresses(list);
}

}  // namespace rdmasync::rdma

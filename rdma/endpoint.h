#pragma once

#include <netdb.h>

#include <memory>
#include <string>
#include <string_view>

namespace rdmasync::rdma {

/// Where a listener is: "port", "addr:port" or "[v6-addr]:port".
struct Endpoint {
  std::string host;  ///< empty: whatever address the reader knows the owner by
  std::string port;

  std::string print() const;
  /// Throws Error(kProtocol).
  static Endpoint parse(std::string_view text);
  /// Numeric. Throws Error(kResources).
  static Endpoint of(const sockaddr& address);
};

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

/// Every stream address of a host, never none; `flags` are getaddrinfo's. Throws Error(kRefused).
Addresses resolve(const Endpoint& endpoint, int flags = 0);

}  // namespace rdmasync::rdma

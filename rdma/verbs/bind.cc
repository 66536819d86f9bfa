#include "rdma/verbs/bind.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>
#include <vector>

#include "rdma/endpoint.h"
#include "rdma/system.h"
#include "rdmasync/error.h"

namespace rdmasync::rdma::verbs {
namespace {

struct FreeInterfaces {
  void operator()(ifaddrs* list) const { freeifaddrs(list); }
};
using Interfaces = std::unique_ptr<ifaddrs, FreeInterfaces>;

struct Attempt {
  CmId id;  ///< empty if the address has no device
  int error = 0;
};

Attempt try_address(const EventChannel& events, const sockaddr& address) {
  sockaddr_storage copy{};
  std::memcpy(&copy, &address,
              address.sa_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in));
  Attempt attempt{.id = events.make_id()};
  attempt.error = EventChannel::bind(*attempt.id, reinterpret_cast<sockaddr&>(copy));
  if (attempt.error != 0 || attempt.id->verbs == nullptr) {  // a wildcard has no device
    attempt.id.reset();
  }
  return attempt;
}

bool is_global(const ifaddrs& interface) {
  if (interface.ifa_addr == nullptr || (interface.ifa_flags & IFF_UP) == 0 ||
      (interface.ifa_flags & IFF_LOOPBACK) != 0) {
    return false;
  }
  if (interface.ifa_addr->sa_family != AF_INET6) {
    return interface.ifa_addr->sa_family == AF_INET;
  }
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(interface.ifa_addr);
  return !IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr);  // it names no interface to a peer
}

CmId bind_any(const EventChannel& events) {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) {
    throw Error(Errc::kResources, with_errno("cannot list this machine's addresses"));
  }
  const Interfaces interfaces(list);
  for (const int family : {AF_INET, AF_INET6}) {
    for (const ifaddrs* next = list; next != nullptr; next = next->ifa_next) {
      if (is_global(*next) && next->ifa_addr->sa_family == family) {
        Attempt attempt = try_address(events, *next->ifa_addr);
        if (attempt.id) {
          return std::move(attempt.id);
        }
      }
    }
  }
  throw Error(Errc::kRefused,
              "no RDMA device of this machine has an IP address: give its network interface one "
              "(ip address add), for RDMA connections are made by address");
}

}  // namespace

CmId bind_id(const EventChannel& events, const std::string& address) {
  if (!address.empty()) {
    const Addresses list = resolve({.host = address, .port = "0"}, AI_PASSIVE);
    for (const addrinfo* next = list.get(); next != nullptr; next = next->ai_next) {
      Attempt attempt = try_address(events, *next->ai_addr);
      if (attempt.id) {
        return std::move(attempt.id);
      }
      if (attempt.error == EADDRNOTAVAIL) {
        throw Error(Errc::kRefused, "cannot listen on " + address + ": " +
                                        std::generic_category().message(attempt.error) +
                                        " (choose an address of this machine)");
      }
    }
  }
  return bind_any(events);
}

}  // namespace rdmasync::rdma::verbs

#include "module/replica/native_link.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <thread>
#include <utility>
#include <vector>

#include "rdmasync/error.h"
#include "rdmasync/number.h"

namespace rdmasync::replica {

namespace {

constexpr std::chrono::milliseconds kLookEvery{20};
// Without a link there is nothing that the master could tell of.
constexpr std::chrono::milliseconds kUntilLink{10};
constexpr std::chrono::milliseconds kLongestWait{100};

using AddressOf = int (*)(int, sockaddr*, socklen_t*);

/// As the server writes addresses of clients; empty if it is none.
std::string address(int fd, AddressOf which) {
  sockaddr_storage storage{};
  socklen_t size = sizeof(storage);
  if (which(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) {
    return {};
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  std::uint16_t port = 0;
  const void* host = nullptr;
  if (storage.ss_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&storage);
    host = &v4->sin_addr;
    port = v4->sin_port;
  } else if (storage.ss_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&storage);
    host = &v6->sin6_addr;
    port = v6->sin6_port;
  } else {
    return {};
  }
  ::inet_ntop(storage.ss_family, host, text.data(), text.size());
  return std::string(text.data()) + ":" + std::to_string(ntohs(port));
}

/// Where this process's other connections to that peer come from.
std::set<std::string> connections_like(int control) {
  const std::string peer = address(control, ::getpeername);
  if (peer.empty()) {
    throw Error(Errc::kPeerLost, "the master has closed the control connection");
  }
  std::set<std::string> found;
  std::error_code error;
  const std::filesystem::directory_iterator descriptors("/proc/self/fd", error);
  if (error) {
    throw Error(Errc::kResources,
                "this server's own link cannot be found by /proc/self/fd: " + error.message());
  }
  for (const auto& entry : descriptors) {
    const int fd = to_number<int>(entry.path().filename().string()).value_or(-1);
    if (fd < 0 || fd == control || address(fd, ::getpeername) != peer) {
      continue;
    }
    // The server may close it between the two questions.
    if (std::string own = address(fd, ::getsockname); !own.empty()) {
      found.insert(std::move(own));
    }
  }
  return found;
}

}  // namespace

void NativeLink::announce() {
  if (std::chrono::steady_clock::now() < next_look_) {
    return;
  }
  look();
}

void NativeLink::look() {
  next_look_ = std::chrono::steady_clock::now() + kLookEvery;
  std::set<std::string> addresses = connections_like(control_.fd());
  if (addresses == announced_) {
    return;
  }
  control_.command(protocol::request::Native{{addresses.begin(), addresses.end()}});
  announced_ = std::move(addresses);
}

bool NativeLink::psync_waits(std::chrono::milliseconds time) {
  const auto until = std::chrono::steady_clock::now() + time;
  for (;;) {
    look();
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    if (announced_.empty() && left > kUntilLink) {
      std::this_thread::sleep_for(kUntilLink);
      continue;
    }
    // Not for long: the link may be another one by then.
    const auto wait = std::clamp(left, std::chrono::milliseconds{0}, kLongestWait);
    const auto reply = control_.command(protocol::request::Await{wait.count()});
    const bool waits = protocol::waits_from(fields_of(*reply)).psync;
    if (waits || left <= kLongestWait) {
      return waits;
    }
  }
}

}  // namespace rdmasync::replica

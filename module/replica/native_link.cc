#include "module/replica/native_link.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <vector>

#include "module/number.h"
#include "rdmasync/protocol.h"

namespace rdmasync::replica {

namespace {

constexpr std::chrono::milliseconds kLookEvery{20};

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
  std::set<std::string> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", ignored)) {
    const int fd = to_number<int>(entry.path().filename().string()).value_or(-1);
    if (fd >= 0 && fd != control && address(fd, ::getpeername) == peer) {
      found.insert(address(fd, ::getsockname));
    }
  }
  return found;
}

}  // namespace

void NativeLink::announce() {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_look_) {
    return;
  }
  next_look_ = now + kLookEvery;
  std::set<std::string> addresses = connections_like(control_.fd());
  if (addresses == announced_) {
    return;
  }
  std::vector<std::string> words = {protocol::kExportCommand, protocol::kNative};
  words.insert(words.end(), addresses.begin(), addresses.end());
  control_.command(words);
  announced_ = std::move(addresses);
}

bool NativeLink::psync_waits(std::chrono::milliseconds time) {
  announce();
  return protocol::waits_from(
             fields_of(*control_.command(
                 {protocol::kExportCommand, protocol::kAwait, std::to_string(time.count())})))
      .psync;
}

}  // namespace rdmasync::replica

#include "module/replica/own_master.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "module/redis/log.h"
#include "module/replica/own_socket.h"
#include "module/token_text.h"
#include "rdmasync/error.h"

namespace rdmasync::replica {

namespace {

using Clock = std::chrono::steady_clock;

// How often a wait looks whether it is to stop.
constexpr int kLookEveryMs = 50;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

std::uint16_t port_of(int socket, int (*get_name)(int, sockaddr*, socklen_t*)) {
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  get_name(socket, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

}  // namespace

OwnMaster::OwnMaster(std::stop_token stop)
    : stop_(std::move(stop)),
      listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
  const sockaddr_in address = loopback(0);
  if (!listener_ ||
      ::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      ::listen(listener_.get(), 4) != 0) {
    throw Error(Errc::kResources, "cannot listen on 127.0.0.1 for the handover");
  }
  port_ = port_of(listener_.get(), ::getsockname);
}

OwnMaster::~OwnMaster() = default;

void OwnMaster::wait_readable(int fd, Clock::time_point deadline) {
  pollfd ready{fd, POLLIN, 0};
  while (::poll(&ready, 1, kLookEveryMs) <= 0) {
    if (stop_.stop_requested()) {
      throw Error(Errc::kCancelled, "stopped");
    }
    if (Clock::now() > deadline) {
      throw Error(Errc::kPeerLost, "this server did not turn to its own handover in time");
    }
  }
}

void OwnMaster::accept_own(Clock::time_point deadline) {
  for (;;) {
    wait_readable(listener_.get(), deadline);
    connection_ =
        rdma::UniqueFd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!connection_) {
      continue;
    }
    const auto peer = port_of(connection_.get(), ::getpeername);
    if (is_own_connection(peer, static_cast<std::uint16_t>(port_))) {
      break;
    }
    redis::log_warning("rdmasync: refused a stranger's connection to the handover");
  }
  listener_ = {};
  const int on = 1;
  // Without it every answer of the handshake waits for a delayed acknowledgement: 40 ms each.
  ::setsockopt(connection_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/// Reads one command, in the only form in which the server sends them: an array of bulk strings.
/// Returns its words with spaces between them.
std::string OwnMaster::read_command(Clock::time_point deadline) {
  const auto line = [&] {
    std::size_t end = 0;
    while ((end = unread_.find("\r\n")) == std::string::npos) {
      wait_readable(connection_.get(), deadline);
      std::array<char, 1024> bytes;
      const auto got = ::recv(connection_.get(), bytes.data(), bytes.size(), 0);
      if (got == 0) {
        throw Error(Errc::kPeerLost, "this server hung up on its own handover");
      }
      if (got > 0) {
        unread_.append(bytes.data(), static_cast<std::size_t>(got));
      }
    }
    std::string text = unread_.substr(0, end);
    unread_.erase(0, end + 2);
    return text;
  };
  std::string words;
  const int count = std::atoi(line().c_str() + 1);
  for (int i = 0; i < count; ++i) {
    line();  // the length: no word of the handshake has a line break in it
    words += (i == 0 ? "" : " ") + line();
  }
  return words;
}

void OwnMaster::await_psync(std::chrono::milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  accept_own(deadline);
  for (;;) {
    const std::string command = read_command(deadline);
    if (command.rfind("PSYNC", 0) == 0) {
      return;
    }
    write(command == "PING" ? "+PONG\r\n" : "+OK\r\n");
  }
}

void OwnMaster::begin_full_sync(std::string_view replication_id, std::int64_t offset) {
  end_mark_ = to_text(rdma::random_token()) + to_text(rdma::random_token()).substr(0, 8);
  write("+FULLRESYNC " + std::string(replication_id) + " " + std::to_string(offset) + "\r\n");
  write("$EOF:" + end_mark_ + "\r\n");
}

void OwnMaster::end_full_sync() {
  write(end_mark_);
}

void OwnMaster::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(connection_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
      continue;
    }
    if (errno != EAGAIN && errno != EINTR) {
      throw Error(Errc::kPeerLost,
                  "this server broke off loading the copy: see the lines above in its log");
    }
    pollfd ready{connection_.get(), POLLOUT, 0};
    ::poll(&ready, 1, kLookEveryMs);
    if (stop_.stop_requested()) {
      throw Error(Errc::kCancelled, "stopped");
    }
  }
}

void OwnMaster::check_alive() {
  if (stop_.stop_requested()) {
    throw Error(Errc::kCancelled, "stopped");
  }
  std::array<char, 4096> bytes;
  const auto got = ::recv(connection_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
    throw Error(Errc::kPeerLost,
                "this server broke off loading the copy: see the lines above in its log");
  }
}

}  // namespace rdmasync::replica

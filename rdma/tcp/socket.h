#pragma once

#include <cerrno>
#include <utility>

namespace rdmasync::rdma {

/// Owns one non-blocking, close-on-exec TCP socket, and keeps it out of forked children (NoFork).
class Socket {
 public:
  Socket() = default;
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket();

  /// An empty socket on failure, with errno set.
  static Socket open(int family);
  Socket accept() const;

  /// Sets an integer option; socket options that cannot be set are not worth failing for.
  void set(int level, int option, int value) const;

  int fd() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  explicit Socket(int fd) : fd_(fd) {}

  int fd_ = -1;
};

/// Of an errno: nothing is wrong, only not yet.
inline bool would_block(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

}  // namespace rdmasync::rdma

#include "rdma/tcp/socket.h"

#include <sys/socket.h>
#include <unistd.h>

#include "rdma/no_fork.h"

namespace rdmasync::rdma {
namespace {

template <typename Make>
int open_parent_only(Make make) {
  const NoFork guard;
  const int fd = make();
  if (fd >= 0) {
    NoFork::close_in_children(fd);
  }
  return fd;
}

}  // namespace

Socket::~Socket() {
  if (fd_ >= 0) {
    const NoFork guard;
    NoFork::forget(fd_);
    ::close(fd_);
  }
}

Socket Socket::open(int family) {
  return Socket(open_parent_only(
      [&] { return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }));
}

Socket Socket::accept() const {
  return Socket(open_parent_only(
      [&] { return accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC); }));
}

void Socket::set(int level, int option, int value) const {
  setsockopt(fd_, level, option, &value, sizeof(value));
}

}  // namespace rdmasync::rdma

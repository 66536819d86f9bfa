#include "rdma/soft/socket.h"

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>
#include <set>

namespace rdmasync::rdma {
namespace {

/// Every open Socket of the process. The lock is held across fork(), so that no descriptor is
/// between its creation and its registration, and none that was closed and reused is in the set.
class OpenSockets {
 public:
  static OpenSockets& instance() {
    static OpenSockets sockets;
    return sockets;
  }

  template <typename Make>
  int add(Make make) {
    const std::lock_guard lock(mutex_);
    const int fd = make();
    if (fd >= 0) {
      fds_.insert(fd);
    }
    return fd;
  }

  void close(int fd) {
    const std::lock_guard lock(mutex_);
    fds_.erase(fd);
    ::close(fd);
  }

 private:
  OpenSockets() {
    pthread_atfork([] { instance().mutex_.lock(); }, [] { instance().mutex_.unlock(); },
                   [] { instance().in_child(); });
  }

  // Only what is async-signal-safe: the set itself stays as it is.
  void in_child() {
    for (const int fd : fds_) {
      ::close(fd);
    }
    mutex_.unlock();
  }

  std::mutex mutex_;
  std::set<int> fds_;
};

}  // namespace

Socket::~Socket() {
  if (fd_ >= 0) {
    OpenSockets::instance().close(fd_);
  }
}

Socket Socket::open(int family) {
  return Socket(OpenSockets::instance().add(
      [&] { return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }));
}

Socket Socket::accept() const {
  return Socket(OpenSockets::instance().add(
      [&] { return accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC); }));
}

void Socket::set(int level, int option, int value) const {
  setsockopt(fd_, level, option, &value, sizeof(value));
}

}  // namespace rdmasync::rdma

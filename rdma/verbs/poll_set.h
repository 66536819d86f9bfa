#pragma once

#include <sys/epoll.h>

#include "rdma/system.h"
#include "rdma/unique_fd.h"
#include "rdmasync/error.h"

namespace rdmasync::rdma::verbs {

/// A descriptor that is readable while one of those in the set is.
class PollSet {
 public:
  PollSet() : fd_(epoll_create1(EPOLL_CLOEXEC)) {
    if (!fd_) {
      throw Error(Errc::kResources, with_errno("cannot create an epoll set"));
    }
  }

  int fd() const { return fd_.get(); }

  void add(int fd) const {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    if (epoll_ctl(fd_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
      throw Error(Errc::kResources, with_errno("cannot watch a descriptor"));
    }
  }

  /// Needed before the descriptor is closed: a forked child may have a copy, which would keep it
  /// in.
  void remove(int fd) const { epoll_ctl(fd_.get(), EPOLL_CTL_DEL, fd, nullptr); }

 private:
  UniqueFd fd_;
};

}  // namespace rdmasync::rdma::verbs

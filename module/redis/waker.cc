#include "module/redis/waker.h"

#include <sys/eventfd.h>

#include "module/redis/api.h"
#include "rdmasync/error.h"

namespace rdmasync::redis {

Waker::Waker() : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (!fd_) throw Error(Errc::kResources, "no file descriptor left for an eventfd");
  const auto drain = [](int fd, void*, int) {
    eventfd_t count = 0;
    ::eventfd_read(fd, &count);
  };
  if (EventLoopAdd(fd_.get(), kEventLoopReadable, drain, nullptr) != kOk) {
    throw Error(Errc::kResources,
                "the server's event loop takes no more file descriptors: raise maxclients");
  }
}

Waker::~Waker() {
  EventLoopDel(fd_.get(), kEventLoopReadable);
}

void Waker::wake() const {
  ::eventfd_write(fd_.get(), 1);
}

}  // namespace rdmasync::redis

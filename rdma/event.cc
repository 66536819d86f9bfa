#include "rdma/event.h"

#include <sys/eventfd.h>

#include "rdma/system.h"
#include "rdmasync/error.h"

namespace rdmasync::rdma {

Event::Event() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!fd_) {
    throw Error(Errc::kResources, with_errno("cannot create an eventfd"));
  }
}

void Event::set() const noexcept {
  eventfd_write(fd_.get(), 1);
}

void Event::clear() const noexcept {
  eventfd_t count = 0;
  eventfd_read(fd_.get(), &count);
}

}  // namespace rdmasync::rdma

#include "module/redis/waker.h"

#include "module/redis/api.h"
#include "rdmasync/error.h"

namespace rdmasync::redis {

Waker::Waker() {
  const auto drain = [](int, void* event, int) { static_cast<rdma::Event*>(event)->clear(); };
  if (EventLoopAdd(event_.fd(), kEventLoopReadable, drain, &event_) != kOk) {
    throw Error(Errc::kResources,
                "the server's event loop takes no more file descriptors: raise maxclients");
  }
}

Waker::~Waker() {
  EventLoopDel(event_.fd(), kEventLoopReadable);
}

void Waker::wake() const {
  event_.set();
}

}  // namespace rdmasync::redis

#include "rdma/verbs/queue_pair.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "rdma/endpoint.h"
#include "rdma/system.h"
#include "rdma/verbs/hello.h"
#include "rdmasync/error.h"

namespace rdmasync::rdma::verbs {
namespace {

// Pieces of reads that the device has at hand; far more than are on the wire at a time.
constexpr std::uint32_t kDepth = 256;

// 4.096 us << 16 = 268 ms without an acknowledgement, six times: a peer that is gone breaks the
// link within some seconds. A retry count of 7 would mean for ever.
constexpr std::uint8_t kAckTimeout = 16;
constexpr std::uint8_t kRetries = 5;

// Linux (6.1 seen) may miss that an address has been resolved until this time has passed, and looks
// again then. So it is short, and begun anew until the peer's time is over.
constexpr int kResolveAddressMs = 200;

constexpr int kResolveRouteMs = 2000;

constexpr int kNoListener = 8;  // the reject reason "invalid service id" of the InfiniBand CM

std::string text_of(int error) {
  return std::generic_category().message(error < 0 ? -error : error);
}

[[noreturn]] void refused(const CmEvent& event) {
  const auto answer = event.data_as<Rejected>();
  if (answer.magic == kHelloMagic) {
    switch (answer.why) {
      case Refusal::kUnknownToken:
        throw Error(Errc::kRefused, "the peer does not know this session's token");
      case Refusal::kWrongVersion:
        throw Error(Errc::kRefused,
                    "the peer speaks another version of the verbs fabric: use the same build at "
                    "both ends");
      case Refusal::kNoResources:
        throw Error(Errc::kPeerLost, "the peer has no resources for another connection");
    }
  }
  if (event.status == kNoListener || event.status == -ECONNREFUSED) {
    throw Error(Errc::kRefused, "the peer's RDMA device is there, but nobody listens on that port");
  }
  throw Error(Errc::kPeerLost, "the peer rejected the RDMA connection (reason " +
                                   std::to_string(event.status) + ")");
}

}  // namespace

QueuePair::QueuePair(const PollSet& watchers, const Target& target, ChooseDevice choose)
    : watchers_(watchers), target_(target), choose_(std::move(choose)), id_(events_.make_id()) {
  resolve_address(*id_);
  watchers_.add(events_.fd());
}

QueuePair::~QueuePair() {
  watchers_.remove(events_.fd());
  if (announcements_) {
    watchers_.remove(announcements_->fd);
  }
  if (established_) {
    rdma_disconnect(id_.get());
  }
}

void QueuePair::advance() {
  while (const auto event = events_.next()) {
    switch (event->type) {
      case RDMA_CM_EVENT_ADDR_RESOLVED:
        on_address(*event->id);
        break;
      case RDMA_CM_EVENT_ROUTE_RESOLVED:
        on_route(*event->id);
        break;
      case RDMA_CM_EVENT_ESTABLISHED:
        established_ = true;
        break;
      case RDMA_CM_EVENT_REJECTED:
        refused(*event);
      case RDMA_CM_EVENT_ADDR_ERROR:
        if (event->status == -ETIMEDOUT) {
          resolve_address(*event->id);
          break;
        }
        throw Error(Errc::kPeerLost,
                    "no RDMA device of this machine leads to the peer: " + text_of(event->status));
      case RDMA_CM_EVENT_ROUTE_ERROR:
      case RDMA_CM_EVENT_CONNECT_ERROR:
      case RDMA_CM_EVENT_UNREACHABLE:
        throw Error(Errc::kPeerLost, std::string("the peer's RDMA device cannot be reached: ") +
                                         rdma_event_str(event->type) + ", " +
                                         text_of(event->status));
      case RDMA_CM_EVENT_DISCONNECTED:
      case RDMA_CM_EVENT_TIMEWAIT_EXIT:
        throw Error(Errc::kPeerLost, "the peer has closed the connection");
      case RDMA_CM_EVENT_DEVICE_REMOVAL:
        throw Error(Errc::kPeerLost, "the RDMA device was removed");
      default:
        break;
    }
  }
}

void QueuePair::resolve_address(rdma_cm_id& id) {
  auto address = target_.address;
  if (rdma_resolve_addr(&id, nullptr, reinterpret_cast<sockaddr*>(&address), kResolveAddressMs) !=
      0) {
    throw Error(Errc::kPeerLost, with_errno("cannot resolve the peer's RDMA address"));
  }
}

void QueuePair::on_address(rdma_cm_id& id) {
  device_ = choose_(id.verbs);
  make_queues(id);
  std::uint8_t ack_timeout = kAckTimeout;
  // Kernels before 5.2 have a timeout of their own, of some seconds.
  rdma_set_option(&id, RDMA_OPTION_ID, RDMA_OPTION_ID_ACK_TIMEOUT, &ack_timeout,
                  sizeof(ack_timeout));
  if (rdma_resolve_route(&id, kResolveRouteMs) != 0) {
    throw Error(Errc::kPeerLost, with_errno("cannot find an RDMA route to the peer"));
  }
}

void QueuePair::make_queues(rdma_cm_id& id) {
  const ibv_device_attr& limits = device_->limits();
  depth_ = static_cast<std::uint32_t>(std::min<int>(kDepth, limits.max_qp_wr));
  announcements_.reset(ibv_create_comp_channel(id.verbs));
  if (!announcements_) {
    throw Error(Errc::kResources,
                with_errno("cannot create a completion channel on " + device_->name()));
  }
  fcntl(announcements_->fd, F_SETFD, FD_CLOEXEC);
  fcntl(announcements_->fd, F_SETFL, O_NONBLOCK);
  // Every work request completes, if only because it was flushed.
  completions_ = device_->make_completion_queue(depth_ + 1, announcements_.get());
  device_->make_queue_pair(id, *completions_, depth_);
  watchers_.add(announcements_->fd);
}

void QueuePair::on_route(rdma_cm_id& id) {
  const Hello hello{.token = target_.token};
  const ibv_device_attr& limits = device_->limits();
  rdma_conn_param parameters{};
  parameters.private_data = &hello;
  parameters.private_data_len = sizeof(hello);
  parameters.initiator_depth = static_cast<std::uint8_t>(std::min(limits.max_qp_init_rd_atom, 255));
  parameters.responder_resources = 1;  // some devices accept no 0
  parameters.retry_count = kRetries;
  if (rdma_connect(&id, &parameters) != 0) {
    throw Error(Errc::kPeerLost, with_errno("cannot connect over RDMA"));
  }
}

bool QueuePair::post(ibv_send_wr& first) {
  ibv_send_wr* bad = nullptr;
  return ibv_post_send(id_->qp, &first, &bad) == 0;
}

int QueuePair::poll(std::span<ibv_wc> completions) {
  return ibv_poll_cq(completions_.get(), static_cast<int>(completions.size()), completions.data());
}

bool QueuePair::announce_next() {
  if (armed_) {
    return false;
  }
  armed_ = true;
  ibv_req_notify_cq(completions_.get(), 0);
  return true;
}

void QueuePair::take_announcement() {
  ibv_cq* queue = nullptr;
  void* context = nullptr;
  if (armed_ && ibv_get_cq_event(announcements_.get(), &queue, &context) == 0) {
    ibv_ack_cq_events(queue, 1);
    armed_ = false;
  }
}

}  // namespace rdmasync::rdma::verbs

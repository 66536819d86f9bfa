#include "rdma/verbs/event_channel.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "rdma/no_fork.h"
#include "rdma/system.h"
#include "rdmasync/error.h"

namespace rdmasync::rdma::verbs {
namespace {

void keep_out_of_children(const ibv_context* device) {
  if (device != nullptr) {
    NoFork::close_in_children(device->cmd_fd);
    NoFork::close_in_children(device->async_fd);
  }
}

}  // namespace

EventChannel::EventChannel() {
  const NoFork guard;
  channel_ = rdma_create_event_channel();
  if (channel_ == nullptr) {
    throw Error(Errc::kRefused, with_errno("cannot open /dev/infiniband/rdma_cm"));
  }
  NoFork::close_in_children(channel_->fd);
  fcntl(channel_->fd, F_SETFD, FD_CLOEXEC);
  fcntl(channel_->fd, F_SETFL, O_NONBLOCK);
}

EventChannel::~EventChannel() {
  const NoFork guard;
  NoFork::forget(channel_->fd);
  rdma_destroy_event_channel(channel_);
}

CmId EventChannel::make_id() const {
  rdma_cm_id* id = nullptr;
  if (rdma_create_id(channel_, &id, nullptr, RDMA_PS_TCP) != 0) {
    throw Error(Errc::kResources, with_errno("cannot create an rdma_cm id"));
  }
  return CmId(id);
}

int EventChannel::bind(rdma_cm_id& id, sockaddr& address) {
  const NoFork guard;  // the library opens the device
  if (rdma_bind_addr(&id, &address) != 0) {
    return errno;
  }
  keep_out_of_children(id.verbs);
  return 0;
}

std::optional<CmEvent> EventChannel::next() const {
  const NoFork guard;  // the library opens devices when events name them
  rdma_cm_event* event = nullptr;
  if (rdma_get_cm_event(channel_, &event) != 0) {
    return std::nullopt;
  }
  CmEvent copy;
  copy.type = event->event;
  copy.status = event->status;
  copy.id = event->id;
  const rdma_conn_param& parameters = event->param.conn;
  copy.initiator_depth = parameters.initiator_depth;
  copy.responder_resources = parameters.responder_resources;
  if (parameters.private_data != nullptr) {
    const auto* data = static_cast<const std::byte*>(parameters.private_data);
    std::copy_n(data, parameters.private_data_len, copy.data.begin());
  }
  rdma_ack_cm_event(event);
  keep_out_of_children(copy.id->verbs);
  return copy;
}

}  // namespace rdmasync::rdma::verbs

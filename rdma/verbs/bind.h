#pragma once

#include <string>

#include "rdma/verbs/event_channel.h"
#include "rdma/verbs/owned.h"

namespace rdmasync::rdma::verbs {

/// An id bound to a free port of that address and to its device. An address of this machine that
/// has no RDMA device, or none (""), stands for the first one that has: the network to the client
/// need not be the RDMA network. Throws Error(kRefused).
CmId bind_id(const EventChannel& events, const std::string& address);

}  // namespace rdmasync::rdma::verbs

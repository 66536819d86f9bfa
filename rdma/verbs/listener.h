#pragma once

#include <memory>

#include "rdma/fabric.h"
#include "rdma/verbs/device.h"

namespace rdmasync::rdma::verbs {

/// Fabric::listen() of the verbs fabric.
std::unique_ptr<Listener> listen(const ListenOptions& options, const ChooseDevice& choose);

}  // namespace rdmasync::rdma::verbs

#pragma once

#include <memory>

#include "rdma/fabric.h"
#include "rdma/verbs/device.h"

namespace rdmasync::rdma::verbs {

/// Fabric::connect() of the verbs fabric.
std::unique_ptr<Connection> connect(const ConnectOptions& options, const ChooseDevice& choose);

}  // namespace rdmasync::rdma::verbs

#pragma once

#include <memory>

#include "rdma/fabric.h"

namespace rdmasync::rdma {

/// Fabric::connect() of the cma fabric.
std::unique_ptr<Connection> connect_cma(const ConnectOptions& options);

}  // namespace rdmasync::rdma

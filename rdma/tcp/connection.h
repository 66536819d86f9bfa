#pragma once

#include <memory>

#include "rdma/fabric.h"

namespace rdmasync::rdma {

/// Fabric::connect() of the tcp fabric.
std::unique_ptr<Connection> connect_tcp(const ConnectOptions& options);

}  // namespace rdmasync::rdma

#pragma once

#include <memory>

#include "rdma/fabric.h"
#include "rdma/soft/region_table.h"

namespace rdmasync::rdma {

/// Fabric::listen() of the tcp fabric.
std::unique_ptr<Listener> listen_tcp(const ListenOptions& options,
                                     std::shared_ptr<RegionTable> regions);

}  // namespace rdmasync::rdma

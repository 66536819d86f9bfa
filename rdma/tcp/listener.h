#pragma once

#include <memory>

#include "rdma/emulated/region_table.h"
#include "rdma/fabric.h"

namespace rdmasync::rdma {

/// Fabric::listen() of the tcp fabric.
std::unique_ptr<Listener> listen_tcp(const ListenOptions& options,
                                     std::shared_ptr<RegionTable> regions);

}  // namespace rdmasync::rdma

#pragma once

#include <memory>

#include "rdma/fabric.h"

namespace rdmasync::rdma {

/// One-sided reads by an RDMA device: InfiniBand, RoCE (Soft-RoCE too) or iWARP. Throws
/// Error(kRefused) where this machine has none that this process may use.
std::unique_ptr<Fabric> make_verbs_fabric();

}  // namespace rdmasync::rdma

#pragma once

#include <infiniband/verbs.h>
#include <rdma/rdma_cma.h>

#include <memory>

/// Owners of what libibverbs and librdmacm create. Declare them in the order of creation: a queue
/// pair must be gone before its completion queue, and every region before its protection domain.
namespace rdmasync::rdma::verbs {

template <auto Destroy>
struct Destroyer {
  template <typename T>
  void operator()(T* object) const {
    Destroy(object);
  }
};

using ProtectionDomain = std::unique_ptr<ibv_pd, Destroyer<ibv_dealloc_pd>>;
using RegisteredMemory = std::unique_ptr<ibv_mr, Destroyer<ibv_dereg_mr>>;
using CompletionChannel = std::unique_ptr<ibv_comp_channel, Destroyer<ibv_destroy_comp_channel>>;
using CompletionQueue = std::unique_ptr<ibv_cq, Destroyer<ibv_destroy_cq>>;

struct DestroyCmId {
  void operator()(rdma_cm_id* id) const {
    if (id->qp != nullptr) {
      rdma_destroy_qp(id);
    }
    rdma_destroy_id(id);
  }
};

/// A connection's or listener's identifier, with the queue pair it may have.
using CmId = std::unique_ptr<rdma_cm_id, DestroyCmId>;

}  // namespace rdmasync::rdma::verbs

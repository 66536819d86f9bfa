// libibverbs and librdmacm, opened when a function of theirs is first called, and not linked: a
// host without them can use the other fabrics, and a process whose allocator is a library can load
// this with RTLD_DEEPBIND. (What is linked in is bound to libc then, and frees with it what came
// from that allocator; what is opened here is bound as the process itself is.)
//
// Each function below has the name and the signature of the one that it calls, so the rest of
// verbs/ is written as if the libraries were linked.

#include <dlfcn.h>
#include <infiniband/verbs.h>
#include <rdma/rdma_cma.h>

#include <string>

#include "rdmasync/error.h"

// Inline, they call their namesakes.
#undef ibv_reg_mr

namespace rdmasync::rdma::verbs {
namespace {

void* open_library(const char* name) {
  void* library = ::dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    throw Error(Errc::kRefused, std::string("cannot open ") + name + ": " + ::dlerror() +
                                    " (install the RDMA libraries: apt install libibverbs1 "
                                    "librdmacm1 ibverbs-providers)");
  }
  return library;
}

/// Throws Error(kRefused) if the library or the function is missing. Any thread.
void* function(const char* name) {
  // Never closed: their threads and fork handlers are there until the process ends.
  static void* const verbs = open_library("libibverbs.so.1");
  static void* const cm = open_library("librdmacm.so.1");
  void* found = ::dlsym(std::string_view(name).starts_with("ibv_") ? verbs : cm, name);
  if (found == nullptr) {
    throw Error(Errc::kRefused, std::string("the RDMA libraries of this host lack ") + name +
                                    ": install newer ones");
  }
  return found;
}

}  // namespace
}  // namespace rdmasync::rdma::verbs

// The names of their parameters are not ours.
// NOLINTBEGIN(bugprone-macro-parentheses,readability-inconsistent-declaration-parameter-name)
#define RDMASYNC_FORWARD(result, name, parameters, arguments)                        \
  extern "C" result name parameters {                                                \
    static const auto call =                                                         \
        reinterpret_cast<decltype(&(name))>(rdmasync::rdma::verbs::function(#name)); \
    return call arguments;                                                           \
  }

RDMASYNC_FORWARD(ibv_device**, ibv_get_device_list, (int* count), (count))
RDMASYNC_FORWARD(void, ibv_free_device_list, (ibv_device * *list), (list))
RDMASYNC_FORWARD(const char*, ibv_get_device_name, (ibv_device * device), (device))
RDMASYNC_FORWARD(int, ibv_query_device, (ibv_context * context, ibv_device_attr* limits),
                 (context, limits))
RDMASYNC_FORWARD(ibv_fork_status, ibv_is_fork_initialized, (), ())
RDMASYNC_FORWARD(ibv_pd*, ibv_alloc_pd, (ibv_context * context), (context))
RDMASYNC_FORWARD(int, ibv_dealloc_pd, (ibv_pd * domain), (domain))
RDMASYNC_FORWARD(ibv_mr*, ibv_reg_mr, (ibv_pd * domain, void* memory, size_t size, int access),
                 (domain, memory, size, access))
RDMASYNC_FORWARD(ibv_mr*, ibv_reg_mr_iova2,
                 (ibv_pd * domain, void* memory, size_t size, uint64_t iova, unsigned access),
                 (domain, memory, size, iova, access))
RDMASYNC_FORWARD(int, ibv_dereg_mr, (ibv_mr * region), (region))
RDMASYNC_FORWARD(ibv_comp_channel*, ibv_create_comp_channel, (ibv_context * context), (context))
RDMASYNC_FORWARD(int, ibv_destroy_comp_channel, (ibv_comp_channel * channel), (channel))
RDMASYNC_FORWARD(ibv_cq*, ibv_create_cq,
                 (ibv_context * context, int size, void* user, ibv_comp_channel* channel,
                  int vector),
                 (context, size, user, channel, vector))
RDMASYNC_FORWARD(int, ibv_destroy_cq, (ibv_cq * queue), (queue))
RDMASYNC_FORWARD(int, ibv_get_cq_event, (ibv_comp_channel * channel, ibv_cq** queue, void** user),
                 (channel, queue, user))
RDMASYNC_FORWARD(void, ibv_ack_cq_events, (ibv_cq * queue, unsigned count), (queue, count))
RDMASYNC_FORWARD(const char*, ibv_wc_status_str, (ibv_wc_status status), (status))

RDMASYNC_FORWARD(rdma_event_channel*, rdma_create_event_channel, (), ())
RDMASYNC_FORWARD(void, rdma_destroy_event_channel, (rdma_event_channel * channel), (channel))
RDMASYNC_FORWARD(int, rdma_create_id,
                 (rdma_event_channel * channel, rdma_cm_id** id, void* user, rdma_port_space space),
                 (channel, id, user, space))
RDMASYNC_FORWARD(int, rdma_destroy_id, (rdma_cm_id * id), (id))
RDMASYNC_FORWARD(int, rdma_bind_addr, (rdma_cm_id * id, sockaddr* address), (id, address))
RDMASYNC_FORWARD(int, rdma_resolve_addr,
                 (rdma_cm_id * id, sockaddr* source, sockaddr* target, int timeout_ms),
                 (id, source, target, timeout_ms))
RDMASYNC_FORWARD(int, rdma_resolve_route, (rdma_cm_id * id, int timeout_ms), (id, timeout_ms))
RDMASYNC_FORWARD(int, rdma_create_qp, (rdma_cm_id * id, ibv_pd* domain, ibv_qp_init_attr* wanted),
                 (id, domain, wanted))
RDMASYNC_FORWARD(void, rdma_destroy_qp, (rdma_cm_id * id), (id))
RDMASYNC_FORWARD(int, rdma_connect, (rdma_cm_id * id, rdma_conn_param* parameters),
                 (id, parameters))
RDMASYNC_FORWARD(int, rdma_listen, (rdma_cm_id * id, int backlog), (id, backlog))
RDMASYNC_FORWARD(int, rdma_accept, (rdma_cm_id * id, rdma_conn_param* parameters), (id, parameters))
RDMASYNC_FORWARD(int, rdma_reject, (rdma_cm_id * id, const void* data, uint8_t size),
                 (id, data, size))
RDMASYNC_FORWARD(int, rdma_disconnect, (rdma_cm_id * id), (id))
RDMASYNC_FORWARD(int, rdma_get_cm_event, (rdma_event_channel * channel, rdma_cm_event** event),
                 (channel, event))
RDMASYNC_FORWARD(int, rdma_ack_cm_event, (rdma_cm_event * event), (event))
RDMASYNC_FORWARD(const char*, rdma_event_str, (rdma_cm_event_type type), (type))
RDMASYNC_FORWARD(int, rdma_set_option,
                 (rdma_cm_id * id, int level, int option, void* value, size_t size),
                 (id, level, option, value, size))
// NOLINTEND(bugprone-macro-parentheses,readability-inconsistent-declaration-parameter-name)
#undef RDMASYNC_FORWARD

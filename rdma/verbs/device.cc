#include "rdma/verbs/device.h"

#include <sys/resource.h>

#include <cerrno>
#include <functional>
#include <utility>

#include "rdma/no_fork.h"
#include "rdma/system.h"
#include "rdmasync/error.h"

namespace rdmasync::rdma::verbs {
namespace {

std::string memory_lock_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_MEMLOCK, &limit);
  return limit.rlim_cur == RLIM_INFINITY ? "unlimited" : std::to_string(limit.rlim_cur) + " bytes";
}

}  // namespace

Device::Device(ibv_context* context) : context_(context), domain_(ibv_alloc_pd(context)) {
  if (!domain_) {
    throw Error(Errc::kResources, with_errno("cannot allocate a protection domain on " + name()));
  }
  if (ibv_query_device(context, &limits_) != 0) {
    throw Error(Errc::kResources, "cannot ask " + name() + " for its limits");
  }
}

RegisteredMemory Device::register_memory(std::span<std::byte> bytes, Access access) const {
  unsigned flags = IBV_ACCESS_REMOTE_READ;
  if (access == Access::kLocalWrite) {
    flags = IBV_ACCESS_LOCAL_WRITE;
    if (context_->device->transport_type == IBV_TRANSPORT_IWARP) {
      flags |= IBV_ACCESS_REMOTE_WRITE;  // there a read is answered by a write
    }
    fault_in(bytes);  // pinning would, one page at a time
  }
  RegisteredMemory memory(
      ibv_reg_mr(domain_.get(), bytes.data(), bytes.size(), static_cast<int>(flags)));
  if (memory) {
    return memory;
  }
  const int error = errno;
  std::string what =
      with_errno("cannot register " + std::to_string(bytes.size()) + " bytes with " + name());
  if (bytes.size() > limits_.max_mr_size) {
    what += " (its regions are of at most max_mr_size = " + std::to_string(limits_.max_mr_size) +
            " bytes)";
  } else if (error == ENOMEM || error == EAGAIN) {
    what += " (RLIMIT_MEMLOCK is " + memory_lock_limit() +
            ": raise it with LimitMEMLOCK=infinity in the service's unit or `ulimit -l`; the "
            "device has room for max_mr = " +
            std::to_string(limits_.max_mr) + " regions)";
  }
  throw Error(Errc::kResources, what);
}

CompletionQueue Device::make_completion_queue(std::uint32_t size, ibv_comp_channel* channel) const {
  const NoFork guard;
  CompletionQueue queue(ibv_create_cq(context_, static_cast<int>(size), nullptr, channel, 0));
  if (!queue) {
    throw Error(Errc::kResources, with_errno("cannot create a completion queue on " + name()));
  }
  NoFork::keep_devices_out_of_children();
  return queue;
}

void Device::make_queue_pair(rdma_cm_id& id, ibv_cq& completions, std::uint32_t depth) const {
  ibv_qp_init_attr attributes{};
  attributes.qp_type = IBV_QPT_RC;
  attributes.send_cq = &completions;
  attributes.recv_cq = &completions;
  attributes.cap = {.max_send_wr = depth,
                    .max_recv_wr = 1,
                    .max_send_sge = 1,
                    .max_recv_sge = 1,
                    .max_inline_data = 0};
  const NoFork guard;
  if (rdma_create_qp(&id, domain_.get(), &attributes) != 0) {
    throw Error(Errc::kResources, with_errno("cannot create a queue pair on " + name()));
  }
  NoFork::keep_devices_out_of_children();
}

Region::Region(std::shared_ptr<const Device> device, std::span<std::byte> bytes, Access access)
    : device_(std::move(device)), bytes_(bytes), access_(access) {
  if (!bytes.empty()) {
    memory_ = device_->register_memory(bytes, access);
  }
}

bool Region::takes(const Device& device, const std::byte* into, std::size_t length) const {
  const std::less_equal<> at_or_before;
  return access_ == Access::kLocalWrite && device_->domain() == device.domain() &&
         at_or_before(bytes_.data(), into) && length <= bytes_.size() &&
         at_or_before(into, bytes_.data() + (bytes_.size() - length));
}

}  // namespace rdmasync::rdma::verbs

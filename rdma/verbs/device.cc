#include "rdma/verbs/device.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <functional>
#include <utility>

#include "rdma/no_fork.h"
#include "rdma/system.h"
#include "rdmasync/error.h"
#include "rdmasync/number.h"

namespace rdmasync::rdma::verbs {
namespace {

std::string memory_lock_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_MEMLOCK, &limit);
  return limit.rlim_cur == RLIM_INFINITY ? "unlimited" : std::to_string(limit.rlim_cur) + " bytes";
}

/// RDMASYNC_MAX_MR_SIZE, in bytes, makes a device that takes large regions look like one that takes
/// only small ones, for tests; it lowers the limit, and never raises it.
std::size_t part_size_of(const ibv_device_attr& limits) {
  std::uint64_t size = limits.max_mr_size;
  if (const char* lower = std::getenv("RDMASYNC_MAX_MR_SIZE")) {
    size = std::min(size, to_number<std::uint64_t>(lower).value_or(size));
  }
  const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  return std::max(size / page, std::uint64_t{1}) * page;
}

}  // namespace

Device::Device(ibv_context* context) : context_(context), domain_(ibv_alloc_pd(context)) {
  if (!domain_) {
    throw Error(Errc::kResources, with_errno("cannot allocate a protection domain on " + name()));
  }
  if (ibv_query_device(context, &limits_) != 0) {
    throw Error(Errc::kResources, "cannot ask " + name() + " for its limits");
  }
  part_size_ = part_size_of(limits_);
}

std::vector<RegisteredMemory> Device::register_memory(std::span<std::byte> bytes,
                                                      Access access) const {
  unsigned flags = IBV_ACCESS_REMOTE_READ;
  if (access == Access::kLocalWrite) {
    flags = IBV_ACCESS_LOCAL_WRITE;
    if (context_->device->transport_type == IBV_TRANSPORT_IWARP) {
      flags |= IBV_ACCESS_REMOTE_WRITE;  // there a read is answered by a write
    }
    fault_in(bytes);  // pinning would, one page at a time
  }
  std::vector<RegisteredMemory> parts;
  for (std::size_t done = 0; done < bytes.size(); done += part_size_) {
    const auto part = bytes.subspan(done, std::min(part_size_, bytes.size() - done));
    RegisteredMemory memory(
        ibv_reg_mr(domain_.get(), part.data(), part.size(), static_cast<int>(flags)));
    if (!memory) {
      throw cannot_register(bytes.size());
    }
    parts.push_back(std::move(memory));
  }
  return parts;
}

Error Device::cannot_register(std::size_t size) const {
  const int error = errno;
  std::string what =
      with_errno("cannot register " + std::to_string(size) + " bytes with " + name());
  if (error == ENOMEM || error == EAGAIN) {
    what += " (RLIMIT_MEMLOCK is " + memory_lock_limit() +
            ": raise it with LimitMEMLOCK=infinity in the service's unit or `ulimit -l`; the "
            "device has room for max_mr = " +
            std::to_string(limits_.max_mr) + " regions)";
  }
  return {Errc::kResources, what};
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
    : device_(std::move(device)),
      bytes_(bytes),
      access_(access),
      parts_(device_->register_memory(bytes, access)) {
  for (std::size_t i = 1; i < parts_.size(); ++i) {
    further_rkeys_.push_back(parts_[i]->rkey);
    further_lkeys_.push_back(parts_[i]->lkey);
  }
}

PartKeys Region::keys(std::uint32_t ibv_mr::*key, const std::vector<std::uint32_t>& further) const {
  return {.first = parts_.empty() ? 0 : parts_.front().get()->*key,
          .further = further,
          .part_size = device_->part_size(),
          .start = reinterpret_cast<std::uintptr_t>(bytes_.data())};
}

bool Region::takes(const Device& device, const std::byte* into, std::size_t length) const {
  const std::less_equal<> at_or_before;
  return access_ == Access::kLocalWrite && device_->domain() == device.domain() &&
         at_or_before(bytes_.data(), into) && length <= bytes_.size() &&
         at_or_before(into, bytes_.data() + (bytes_.size() - length));
}

}  // namespace rdmasync::rdma::verbs

#include "rdma/verbs/verbs_fabric.h"

#include <fcntl.h>
#include <infiniband/verbs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>

#include "rdma/system.h"
#include "rdma/unique_fd.h"
#include "rdma/verbs/connection.h"
#include "rdma/verbs/device.h"
#include "rdma/verbs/listener.h"
#include "rdmasync/error.h"

namespace rdmasync::rdma {
namespace {

/// The device of a fabric: the first that is asked for. Shared with listeners and connections,
/// which may outlive their fabric. Any thread.
class DeviceChoice {
 public:
  std::shared_ptr<const verbs::Device> get() const {
    const std::lock_guard lock(mutex_);
    return device_;
  }

  /// Throws Error(kRefused) if it is another.
  std::shared_ptr<const verbs::Device> choose(ibv_context* found) {
    const std::lock_guard lock(mutex_);
    if (!device_) {
      device_ = std::make_shared<verbs::Device>(found);
    } else if (device_->context() != found) {
      throw Error(Errc::kRefused, "this fabric works with " + device_->name() + ", not with " +
                                      ibv_get_device_name(found->device) +
                                      ": another fabric object can");
    }
    return device_;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const verbs::Device> device_;
};

class VerbsFabric final : public Fabric {
 public:
  std::string_view name() const override { return "verbs"; }

  // ibv_fork_init() is no way out where it would be needed: a child that reads what it protects
  // dies of it. And where the environment asks for it, it takes effect on kernels that need none.
  bool may_register_in_place() const override {
    return ibv_is_fork_initialized() == IBV_FORK_UNNEEDED &&
           std::getenv("RDMAV_FORK_SAFE") == nullptr && std::getenv("IBV_FORK_SAFE") == nullptr;
  }

  std::unique_ptr<MemoryRegion> register_memory(std::span<std::byte> bytes,
                                                Access access) override {
    auto device = choice_->get();
    if (!device) {
      throw Error(Errc::kUsage, "the verbs fabric has no device yet: listen or connect first");
    }
    return std::make_unique<verbs::Region>(std::move(device), bytes, access);
  }

  std::unique_ptr<Listener> listen(const ListenOptions& options) override {
    return verbs::listen(options, chooser());
  }

  std::unique_ptr<Connection> connect(const ConnectOptions& options) override {
    return verbs::connect(options, chooser());
  }

 private:
  verbs::ChooseDevice chooser() const {
    return [choice = choice_](ibv_context* found) { return choice->choose(found); };
  }

  std::shared_ptr<DeviceChoice> choice_ = std::make_shared<DeviceChoice>();
};

/// What the kernel offers of a name below /dev/infiniband; throws if this process may not use it.
void check_usable(const std::string& path, const std::string& if_absent) {
  const UniqueFd device(open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (device) {
    return;
  }
  std::string remedy = if_absent;
  if (errno == EACCES) {
    remedy = "let the user of this process, uid " + std::to_string(geteuid()) +
             ", read and write it: by its group or mode, with a udev rule";
  } else if (errno == EPERM) {
    remedy =
        "the container or service of this process keeps devices from it: in a systemd unit, set "
        "PrivateDevices=false";
  }
  throw Error(Errc::kRefused, with_errno("cannot open " + path).append(" (" + remedy + ")"));
}

/// Where libibverbs can open no file it tells of no device; and a driver that it could not open
/// once it does not try again.
void check_room_for_files() {
  constexpr std::size_t kOpenedAtOnce = 8;
  std::array<UniqueFd, kOpenedAtOnce> files;
  for (UniqueFd& file : files) {
    file = UniqueFd(open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!file) {
      throw Error(Errc::kResources, with_errno("cannot look for RDMA devices") +
                                        " (let this process have more open files: ulimit -n, or "
                                        "LimitNOFILE in a systemd unit)");
    }
  }
}

void check_devices() {
  check_room_for_files();
  int count = 0;
  ibv_device** list = ibv_get_device_list(&count);
  if (list == nullptr || count == 0) {
    const std::string why = list == nullptr ? with_errno("no RDMA device") : "no RDMA device";
    if (list != nullptr) {
      ibv_free_device_list(list);
    }
    throw Error(Errc::kRefused,
                why +
                    " (load the driver of the adapter; or, for Soft-RoCE over an Ethernet "
                    "interface: modprobe rdma_rxe; rdma link add rxe0 type rxe netdev eth0)");
  }
  std::string first = std::string("/dev/infiniband/") + list[0]->dev_name;
  ibv_free_device_list(list);
  check_usable(first, "modprobe ib_uverbs; a container needs the devices of /dev/infiniband");
  check_usable("/dev/infiniband/rdma_cm",
               "modprobe rdma_ucm; a container needs the devices of /dev/infiniband");
}

}  // namespace

std::unique_ptr<Fabric> make_verbs_fabric() {
  check_devices();
  return std::make_unique<VerbsFabric>();
}

}  // namespace rdmasync::rdma

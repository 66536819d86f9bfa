#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <memory>
#include <mutex>
#include <utility>

#include "rdma/cma/board.h"
#include "rdma/cma/connection.h"
#include "rdma/emulated/fabric.h"
#include "rdma/emulated/mapping.h"
#include "rdma/system.h"

namespace rdmasync::rdma {
namespace {

std::atomic<std::uint64_t> next_serial{1};

/// Publishes a board and needs no thread: readers do all the work.
class CmaListener final : public Listener {
 public:
  explicit CmaListener(std::shared_ptr<RegionTable> regions)
      : regions_(std::move(regions)), memory_(sizeof(CmaBoard)) {
    board().nonce = random_token();
    board().entries = reinterpret_cast<std::uintptr_t>(regions_->entries());
    board().keys = regions_->keys();
    board().magic = CmaBoard::kMagic;
    endpoint_ = CmaEndpoint{.host = cma_host(),
                            .pid = getpid(),
                            .board = reinterpret_cast<std::uintptr_t>(memory_.data()),
                            .nonce = board().nonce}
                    .print();
  }

  std::string endpoint() const override { return endpoint_; }

  void admit(const Token& token) override {
    const std::lock_guard lock(mutex_);
    auto& sessions = board().sessions;
    auto* free = std::find_if(sessions.begin(), sessions.end(),
                              [](const CmaSession& session) { return session.serial == 0; });
    if (free == sessions.end()) {
      throw Error(Errc::kResources, "too many sessions at once on the cma fabric");
    }
    free->token = token;
    publish_serial(*free, next_serial++);
  }

  void revoke(const Token& token) override {
    const std::lock_guard lock(mutex_);
    for (CmaSession& session : board().sessions) {
      if (session.serial != 0 && session.token == token) {
        publish_serial(session, 0);
      }
    }
  }

 private:
  CmaBoard& board() const { return *static_cast<CmaBoard*>(memory_.data()); }

  // Readers look at it without a lock, after the token.
  static void publish_serial(CmaSession& session, std::uint64_t serial) {
    std::atomic_ref(session.serial).store(serial, std::memory_order_seq_cst);
  }

  std::shared_ptr<RegionTable> regions_;
  Mapping memory_;
  std::string endpoint_;
  std::mutex mutex_;
};

class CmaFabric final : public EmulatedFabric {
 public:
  std::string_view name() const override { return "cma"; }

  std::unique_ptr<Listener> listen(const ListenOptions&) override {
    return std::make_unique<CmaListener>(regions());
  }

  std::unique_ptr<Connection> connect(const ConnectOptions& options) override {
    return connect_cma(options);
  }
};

// Kernels may be built without it and container runtimes may forbid it, even on oneself.
void probe_process_vm_readv() {
  char from = 1;
  char to = 0;
  const iovec local{&to, 1};
  const iovec remote{&from, 1};
  if (process_vm_readv(getpid(), &local, 1, &remote, 1, 0) != 1) {
    throw Error(Errc::kRefused, with_errno("the cma fabric needs process_vm_readv, which the "
                                           "kernel or a seccomp filter refuses (allow it, or use "
                                           "another fabric)"));
  }
}

}  // namespace

std::unique_ptr<Fabric> make_cma_fabric() {
  probe_process_vm_readv();
  return std::make_unique<CmaFabric>();
}

}  // namespace rdmasync::rdma

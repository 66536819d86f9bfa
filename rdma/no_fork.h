#pragma once

#include <mutex>

namespace rdmasync::rdma {

/// While one exists, fork() in other threads waits; and the one place that knows which descriptors
/// and mappings must not live on in a forked child.
///
/// A child (of BGSAVE, say) that kept a socket or a device open would keep its connections alive
/// after its parent's death, and so hide that from the peers. A forked child must neither use nor
/// destroy the objects it inherits.
class NoFork {
 public:
  NoFork();
  NoFork(const NoFork&) = delete;
  NoFork& operator=(const NoFork&) = delete;
  ~NoFork() = default;

  /// Forked children close it first thing, until forget(), which belongs before its close().
  static void close_in_children(int fd);
  static void forget(int fd);

  /// Keeps the memory that RDMA devices have mapped into this process so far (doorbells and queues,
  /// not registered memory) out of children: each mapping holds its device open.
  static void keep_devices_out_of_children();

 private:
  std::unique_lock<std::mutex> lock_;
};

}  // namespace rdmasync::rdma

#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "module/replica/huge_pages.h"
#include "module/replica/staging.h"
#include "rdma/event.h"
#include "rdma/fabric.h"

namespace rdmasync::replica {

/// Makes and registers the memory that large values are read into, on threads of its own: what a
/// server zeroes, or a device pins, is fresh memory, whose page faults cost as much as the reads.
class ValueBuffers {
 public:
  /// Memory for one value, registered; or why it cannot be.
  struct Ready {
    std::uint64_t id = 0;
    std::byte* into = nullptr;
    std::unique_ptr<rdma::MemoryRegion> region;
    std::optional<Error> error;
  };

  struct Options {
    std::size_t limit = 0;  ///< bytes registered at one time; a value that is larger is alone
    bool huge_pages = true;
  };

  /// The limit is lowered to what turns out to be possible. Throws Error(kResources).
  ValueBuffers(rdma::Fabric& fabric, const Options& options);
  ValueBuffers(const ValueBuffers&) = delete;
  ValueBuffers& operator=(const ValueBuffers&) = delete;
  ~ValueBuffers() = default;

  /// Asks for `length` bytes in the string, or the bytes, of `landing`; never blocks.
  void request(std::uint64_t id, std::size_t length, std::shared_ptr<Landing> landing);

  /// What is ready; in no order.
  std::vector<Ready> take();

  /// Readable while take() has something.
  int fd() const { return ready_event_.fd(); }

  /// Takes back what a read has filled, to deregister it; never blocks.
  void retire(std::unique_ptr<rdma::MemoryRegion> region, std::size_t length);

 private:
  struct Request {
    std::uint64_t id;
    std::size_t length;
    std::shared_ptr<Landing> landing;
  };
  struct Retired {
    std::unique_ptr<rdma::MemoryRegion> region;
    std::size_t length;
  };
  void run(const std::stop_token& stop);
  bool may_serve() const;
  void serve(std::unique_lock<std::mutex>& lock);
  void deregister(std::unique_lock<std::mutex>& lock);
  Ready make(const Request& request);

  rdma::Fabric& fabric_;
  std::optional<HugePages> huge_pages_;
  std::size_t limit_;
  rdma::Event ready_event_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Request> requests_;
  std::vector<Ready> ready_;
  std::vector<Retired> retired_;
  std::size_t registered_ = 0;         ///< bytes
  std::vector<std::jthread> threads_;  ///< last: destroyed, and so joined, first
};

}  // namespace rdmasync::replica

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
#include "rdma/fabric.h"
#include "rdma/unique_fd.h"

namespace rdmasync::replica {

/// Makes and registers the memory that large values are read into, on threads of its own: what a
/// server zeroes, or a device pins, is fresh memory, whose page faults cost as much as the reads.
class Destinations {
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
  Destinations(rdma::Fabric& fabric, const Options& options);
  Destinations(const Destinations&) = delete;
  Destinations& operator=(const Destinations&) = delete;
  ~Destinations();

  /// Asks for `length` bytes in the string, or the bytes, of `fetched`; never blocks.
  void request(std::uint64_t id, std::size_t length, std::shared_ptr<Fetched> fetched);

  /// What is ready; in no order.
  std::vector<Ready> take();

  /// Readable while take() has something.
  int fd() const { return ready_fd_.get(); }

  /// Takes back what a read has filled, to deregister it; never blocks.
  void retire(std::unique_ptr<rdma::MemoryRegion> region, std::size_t length);

 private:
  struct Request {
    std::uint64_t id;
    std::size_t length;
    std::shared_ptr<Fetched> fetched;
  };
  struct Retired {
    std::unique_ptr<rdma::MemoryRegion> region;
    std::size_t length;
  };
  void run();
  bool may_serve() const;
  void serve(std::unique_lock<std::mutex>& lock);
  void deregister(std::unique_lock<std::mutex>& lock);
  Ready make(const Request& request);

  rdma::Fabric& fabric_;
  std::optional<HugePages> huge_pages_;
  std::size_t limit_;
  rdma::UniqueFd ready_fd_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Request> requests_;
  std::vector<Ready> ready_;
  std::vector<Retired> retired_;
  std::size_t registered_ = 0;  ///< bytes
  bool stopping_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace rdmasync::replica

#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "rdma/fabric.h"

namespace rdmasync::master {

/// Registers and deregisters memory on a thread of its own, in order: either can take as long as a
/// slice of the main thread, or longer.
class Registrar {
 public:
  /// One request; the main thread reads the outcome once `done`.
  struct Ticket {
    std::span<std::byte> bytes;
    std::unique_ptr<rdma::MemoryRegion> region;
    std::optional<Error> error;
    std::atomic<bool> done = false;
  };

  /// `wake` is called on the registrar's thread after each ticket.
  Registrar(rdma::Fabric& fabric, std::function<void()> wake);
  Registrar(const Registrar&) = delete;
  Registrar& operator=(const Registrar&) = delete;
  ~Registrar() = default;

  /// Main thread, never blocks.
  std::shared_ptr<Ticket> request(std::span<std::byte> bytes);

  /// Deregisters later, then drops what kept the bytes alive. Main thread, never blocks.
  void retire(std::unique_ptr<rdma::MemoryRegion> region, std::shared_ptr<void> owner);

 private:
  void run(const std::stop_token& stop);

  rdma::Fabric& fabric_;
  std::function<void()> wake_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::shared_ptr<Ticket>> requests_;
  std::vector<std::pair<std::unique_ptr<rdma::MemoryRegion>, std::shared_ptr<void>>> retired_;
  std::jthread thread_;  ///< last: destroyed, and so joined, first
};

}  // namespace rdmasync::master

#include "module/master/registrar.h"

#include "rdma/thread.h"

namespace rdmasync::master {

Registrar::Registrar(rdma::Fabric& fabric, std::function<void()> wake)
    : fabric_(fabric),
      wake_(std::move(wake)),
      thread_(rdma::start_thread("rdmasync-memory",
                                 [this](const std::stop_token& stop) { run(stop); })) {}

std::shared_ptr<Registrar::Ticket> Registrar::request(std::span<std::byte> bytes) {
  auto ticket = std::make_shared<Ticket>();
  ticket->bytes = bytes;
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(ticket);
  }
  changed_.notify_one();
  return ticket;
}

void Registrar::retire(std::unique_ptr<rdma::MemoryRegion> region, std::shared_ptr<void> owner) {
  {
    const std::lock_guard lock(mutex_);
    retired_.emplace_back(std::move(region), std::move(owner));
  }
  changed_.notify_one();
}

void Registrar::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    changed_.wait(lock, stop, [this] { return !requests_.empty() || !retired_.empty(); });
    auto retired = std::exchange(retired_, {});
    std::shared_ptr<Ticket> ticket;
    if (!requests_.empty()) {
      ticket = std::move(requests_.front());
      requests_.pop_front();
    }
    lock.unlock();
    retired.clear();
    if (ticket) {
      try {
        ticket->region = fabric_.register_memory(ticket->bytes, rdma::Access::kRemoteRead);
      } catch (const Error& error) {
        ticket->error = error;
      }
      ticket->done.store(true, std::memory_order_release);
      wake_();
    }
    lock.lock();
  }
}

}  // namespace rdmasync::master

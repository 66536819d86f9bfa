#include "module/master/registrar.h"

namespace rdmasync::master {

Registrar::Registrar(rdma::Fabric& fabric, std::function<void()> wake)
    : fabric_(fabric), wake_(std::move(wake)), thread_([this] { run(); }) {}

Registrar::~Registrar() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

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

void Registrar::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    changed_.wait(lock, [this] { return stopping_ || !requests_.empty() || !retired_.empty(); });
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

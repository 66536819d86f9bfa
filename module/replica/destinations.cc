#include "module/replica/destinations.h"

#include <sys/eventfd.h>

#include <utility>

#include "module/redis/blank_string.h"

namespace rdmasync::replica {

namespace {
// Page faults are what it waits for, and two threads take nearly twice as many in a second.
constexpr int kThreads = 2;
}  // namespace

Destinations::Destinations(rdma::Fabric& fabric, const Options& options)
    : fabric_(fabric), limit_(options.limit), ready_fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (options.huge_pages) huge_pages_.emplace();
  if (!ready_fd_) throw Error(Errc::kResources, "no file descriptor left for an eventfd");
  for (int i = 0; i < kThreads; ++i) {
    threads_.emplace_back([this] { run(); });
  }
}

Destinations::~Destinations() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
}

void Destinations::request(std::uint64_t id, std::size_t length, std::shared_ptr<Fetched> fetched) {
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back({id, length, std::move(fetched)});
  }
  changed_.notify_one();
}

std::vector<Destinations::Ready> Destinations::take() {
  const std::lock_guard lock(mutex_);
  eventfd_t count = 0;
  if (!ready_.empty()) ::eventfd_read(ready_fd_.get(), &count);
  return std::exchange(ready_, {});
}

void Destinations::retire(std::unique_ptr<rdma::MemoryRegion> region, std::size_t length) {
  {
    const std::lock_guard lock(mutex_);
    retired_.push_back({std::move(region), length});
  }
  changed_.notify_one();
}

bool Destinations::may_serve() const {
  if (requests_.empty()) return false;
  return registered_ == 0 || registered_ + requests_.front().length <= limit_;
}

void Destinations::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !retired_.empty() || may_serve(); });
    if (stopping_) return;
    if (!retired_.empty()) {
      deregister(lock);
    } else {
      serve(lock);
    }
  }
}

void Destinations::deregister(std::unique_lock<std::mutex>& lock) {
  std::vector<Retired> retired = std::exchange(retired_, {});
  std::size_t bytes = 0;
  lock.unlock();
  for (Retired& one : retired) {
    one.region.reset();
    bytes += one.length;
  }
  lock.lock();
  registered_ -= bytes;
  changed_.notify_all();
}

void Destinations::serve(std::unique_lock<std::mutex>& lock) {
  Request request = std::move(requests_.front());
  requests_.pop_front();
  registered_ += request.length;
  lock.unlock();
  Ready made = make(request);
  lock.lock();
  const bool others = registered_ > request.length;
  if (made.error && made.error->code() == Errc::kResources && others) {
    registered_ -= request.length;
    limit_ = registered_;
    requests_.push_front(std::move(request));
    return;
  }
  ready_.push_back(std::move(made));
  ::eventfd_write(ready_fd_.get(), 1);
}

Destinations::Ready Destinations::make(const Request& request) {
  Ready made;
  made.id = request.id;
  Fetched& fetched = *request.fetched;
  try {
    if (fetched.is_value) {
      fetched.value = redis::make_blank_string(request.length);
      const char* data = redis::view(fetched.value.get()).data();
      made.into = reinterpret_cast<std::byte*>(const_cast<char*>(data));
    } else {
      fetched.bytes.resize(request.length);
      made.into = reinterpret_cast<std::byte*>(fetched.bytes.data());
    }
    if (huge_pages_) huge_pages_->advise({made.into, request.length});
    made.region = fabric_.register_memory({made.into, request.length}, rdma::Access::kLocalWrite);
  } catch (const Error& error) {
    made.error = error;
  } catch (const std::bad_alloc&) {
    made.error = Error(Errc::kResources,
                       "no memory for a value of " + std::to_string(request.length) + " bytes");
  }
  return made;
}

}  // namespace rdmasync::replica

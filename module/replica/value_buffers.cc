#include "module/replica/value_buffers.h"

#include <utility>

#include "module/redis/blank_string.h"
#include "rdma/thread.h"

namespace rdmasync::replica {

namespace {
// Page faults are what it waits for, and two threads take nearly twice as many in a second.
constexpr int kThreads = 2;
}  // namespace

ValueBuffers::ValueBuffers(rdma::Fabric& fabric, const Options& options)
    : fabric_(fabric), limit_(options.limit) {
  if (options.huge_pages) {
    huge_pages_.emplace();
  }
  for (int i = 0; i < kThreads; ++i) {
    threads_.push_back(
        rdma::start_thread("rdmasync-values", [this](const std::stop_token& stop) { run(stop); }));
  }
}

void ValueBuffers::request(std::uint64_t id, std::size_t length, std::shared_ptr<Landing> landing) {
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back({id, length, std::move(landing)});
  }
  changed_.notify_one();
}

std::vector<ValueBuffers::Ready> ValueBuffers::take() {
  const std::lock_guard lock(mutex_);
  if (!ready_.empty()) {
    ready_event_.clear();
  }
  return std::exchange(ready_, {});
}

void ValueBuffers::retire(std::unique_ptr<rdma::MemoryRegion> region, std::size_t length) {
  {
    const std::lock_guard lock(mutex_);
    retired_.push_back({std::move(region), length});
  }
  changed_.notify_one();
}

bool ValueBuffers::may_serve() const {
  if (requests_.empty()) {
    return false;
  }
  return registered_ == 0 || registered_ + requests_.front().length <= limit_;
}

void ValueBuffers::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [this] { return !retired_.empty() || may_serve(); }) &&
         !stop.stop_requested()) {
    if (!retired_.empty()) {
      deregister(lock);
    } else {
      serve(lock);
    }
  }
}

void ValueBuffers::deregister(std::unique_lock<std::mutex>& lock) {
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

void ValueBuffers::serve(std::unique_lock<std::mutex>& lock) {
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
  ready_event_.set();
}

ValueBuffers::Ready ValueBuffers::make(const Request& request) {
  Ready made;
  made.id = request.id;
  Landing& landing = *request.landing;
  try {
    if (landing.is_value) {
      landing.value = redis::make_blank_string(request.length);
      const char* data = redis::view(landing.value.get()).data();
      made.into = reinterpret_cast<std::byte*>(const_cast<char*>(data));
    } else {
      landing.bytes.resize(request.length);
      made.into = reinterpret_cast<std::byte*>(landing.bytes.data());
    }
    if (huge_pages_) {
      huge_pages_->advise({made.into, request.length});
    }
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

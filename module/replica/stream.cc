#include "module/replica/stream.h"

#include <utility>

#include "module/log/elements.h"

namespace rdmasync::replica {

namespace {

// Of the log, in bytes; what is read at once comes on top, and half as much again for changes.
constexpr std::size_t kMostWaiting = 24U << 20;
constexpr std::chrono::milliseconds kIdle{1};

}  // namespace

void Stream::put(std::uint32_t db, std::string_view key, Incoming incoming) {
  collected_.push_back({Change::Kind::kPut, db, 0, key, std::move(incoming)});
  puts_.fetch_add(1, std::memory_order_relaxed);
}

void Stream::add_part(std::uint32_t db, std::string_view key, Incoming part) {
  if (log::begins(part.entry)) {
    puts_.fetch_add(1, std::memory_order_relaxed);
  }
  collected_.push_back({Change::Kind::kPart, db, 0, key, std::move(part)});
}

void Stream::erase(std::uint32_t db, std::string_view key) {
  collected_.push_back({Change::Kind::kErase, db, 0, key, {}});
}

void Stream::flush(std::uint32_t db) {
  collected_.push_back({Change::Kind::kFlush, db, 0, {}, {}});
}

void Stream::swap(std::uint32_t a, std::uint32_t b) {
  collected_.push_back({Change::Kind::kSwap, a, b, {}, {}});
}

void Stream::set_functions(std::string_view payload, std::shared_ptr<Landing> landing) {
  Incoming incoming;
  incoming.entry = payload;
  incoming.landing = std::move(landing);
  collected_.push_back({Change::Kind::kFunctions, 0, 0, {}, std::move(incoming)});
}

void Stream::given(std::shared_ptr<const void> block, std::size_t size) {
  check_not_refused();
  const std::lock_guard lock(mutex_);
  waiting_ += size;
  batches_.push_back({std::exchange(collected_, {}), std::move(block), size});
  changed_.notify_all();
}

void Stream::landed(const std::shared_ptr<Landing>&) {
  check_not_refused();
  const std::lock_guard lock(mutex_);
  changed_.notify_all();
}

bool Stream::full() {
  check_not_refused();
  const std::lock_guard lock(mutex_);
  const bool full = waiting_ >= kMostWaiting;
  if (!full) {
    room_.clear();
  }
  return full;
}

void Stream::end() {
  const std::lock_guard lock(mutex_);
  over_ = true;
  changed_.notify_all();
}

void Stream::fail(const std::string& reason) {
  const std::lock_guard lock(mutex_);
  if (!over_) {
    failure_ = reason;
  }
  over_ = true;
  changed_.notify_all();
}

void Stream::check_not_refused() {
  const std::lock_guard lock(mutex_);
  if (refusal_) {
    throw Error(*refusal_);
  }
}

void Stream::refuse(const Error& reason) {
  const std::lock_guard lock(mutex_);
  refusal_ = reason;
  room_.set();
}

bool Stream::has_change() {
  while (next_ == batch_.changes.size()) {
    waiting_ -= std::exchange(batch_.size, 0);
    if (waiting_ < kMostWaiting) {
      room_.set();
    }
    if (batches_.empty()) {
      return false;
    }
    batch_ = std::move(batches_.front());
    batches_.pop_front();
    next_ = 0;
  }
  const auto& landing = batch_.changes[next_].incoming.landing;
  return !landing || landing->state != Landing::State::kOnItsWay;
}

Change* Stream::next(const std::function<void()>& idle) {
  begun_ = true;
  // Most of the time there is one, and nobody else has to do with it.
  if (next_ < batch_.changes.size() && !batch_.changes[next_].incoming.landing) {
    return &batch_.changes[next_++];
  }
  std::unique_lock lock(mutex_);
  for (;;) {
    if (failure_) {
      throw Error(Errc::kCancelled, *failure_);
    }
    if (has_change()) {
      return &batch_.changes[next_++];
    }
    if (over_) {
      return nullptr;
    }
    if (changed_.wait_for(lock, kIdle) == std::cv_status::timeout) {
      lock.unlock();
      idle();
      lock.lock();
    }
  }
}

}  // namespace rdmasync::replica

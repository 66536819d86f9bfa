#include "module/replica/string_maker.h"

#include <sys/eventfd.h>

#include <utility>

#include "rdmasync/error.h"

namespace rdmasync::replica {

namespace {
// Page faults are what it waits for, and two threads take nearly twice as many in a second.
constexpr int kThreads = 2;
}  // namespace

StringMaker::StringMaker() : ready_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (!ready_) throw Error(Errc::kResources, "no file descriptor left for an eventfd");
  for (int i = 0; i < kThreads; ++i) {
    threads_.emplace_back([this] { run(); });
  }
}

StringMaker::~StringMaker() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
}

void StringMaker::request(std::uint64_t id, std::size_t length) {
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back({id, length});
  }
  changed_.notify_one();
}

std::vector<StringMaker::Made> StringMaker::take() {
  const std::lock_guard lock(mutex_);
  eventfd_t count = 0;
  if (!made_.empty()) ::eventfd_read(ready_.get(), &count);
  return std::exchange(made_, {});
}

void StringMaker::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !requests_.empty(); });
    if (stopping_) return;
    const Request request = requests_.front();
    requests_.pop_front();
    lock.unlock();
    redis::String string{redis::CreateString(nullptr, nullptr, request.length)};
    lock.lock();
    made_.push_back({request.id, std::move(string)});
    ::eventfd_write(ready_.get(), 1);
  }
}

}  // namespace rdmasync::replica

#include "rdma/system.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <system_error>
#include <utility>

#include "rdmasync/error.h"

namespace rdmasync::rdma {
namespace {

class BlockSignals {
 public:
  BlockSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  BlockSignals(const BlockSignals&) = delete;
  BlockSignals& operator=(const BlockSignals&) = delete;
  ~BlockSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

}  // namespace

std::string with_errno(std::string_view what) {
  const int error = errno;
  return std::string(what) + ": " + std::generic_category().message(error);
}

std::jthread start_thread(const char* name, std::function<void(const std::stop_token&)> body) {
  const BlockSignals inherited;
  try {
    std::jthread thread([body = std::move(body)](const std::stop_token& stop) { body(stop); });
    pthread_setname_np(thread.native_handle(), name);
    return thread;
  } catch (const std::system_error& error) {
    throw Error(Errc::kResources, std::string("cannot start a thread: ") + error.what());
  }
}

void yield_to_others() noexcept {
  // A third of the share of the process's other threads: it still gets on when every processor is
  // busy. On Linux a nice value is a thread's.
  constexpr int kNicer = 5;
  const auto self = static_cast<id_t>(gettid());
  setpriority(PRIO_PROCESS, self, getpriority(PRIO_PROCESS, self) + kNicer);
}

void fault_in(std::span<std::byte> bytes) noexcept {
  static const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(bytes.data()) / page * page;
  const auto end = reinterpret_cast<std::uintptr_t>(bytes.data()) + bytes.size();
  // NOLINTNEXTLINE(performance-no-int-to-ptr): rounded to its page
  madvise(reinterpret_cast<void*>(begin), end - begin, MADV_POPULATE_WRITE);
}

Event::Event() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!fd_) {
    throw Error(Errc::kResources, with_errno("cannot create an eventfd"));
  }
}

void Event::set() const noexcept {
  eventfd_write(fd_.get(), 1);
}

void Event::clear() const noexcept {
  eventfd_t count = 0;
  eventfd_read(fd_.get(), &count);
}

}  // namespace rdmasync::rdma

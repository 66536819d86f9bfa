#include "rdma/thread.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <string>
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

}  // namespace rdmasync::rdma

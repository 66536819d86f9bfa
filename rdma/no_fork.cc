#include "rdma/no_fork.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "rdma/system.h"
#include "rdmasync/error.h"

namespace rdmasync::rdma {
namespace {

/// Its lock is held across fork(), so that no descriptor is between its creation and its
/// registration, and none that was closed and reused is in the set.
class ParentOnly {
 public:
  static ParentOnly& instance() {
    static ParentOnly parent_only;
    return parent_only;
  }

  std::mutex& mutex() { return mutex_; }
  std::set<int>& fds() { return fds_; }

 private:
  ParentOnly() {
    pthread_atfork([] { instance().mutex_.lock(); }, [] { instance().mutex_.unlock(); },
                   [] { instance().in_child(); });
  }

  // Only what is async-signal-safe: the set itself stays as it is.
  void in_child() {
    if (!closed_) {
      for (const int fd : fds_) {
        ::close(fd);
      }
    }
    closed_ = true;  // a child of the child may use those numbers for something else
    mutex_.unlock();
  }

  std::mutex mutex_;
  std::set<int> fds_;
  bool closed_ = false;
};

}  // namespace

NoFork::NoFork() : lock_(ParentOnly::instance().mutex()) {}

void NoFork::close_in_children(int fd) {
  ParentOnly::instance().fds().insert(fd);
}

void NoFork::forget(int fd) {
  ParentOnly::instance().fds().erase(fd);
}

void NoFork::keep_devices_out_of_children() {
  std::ifstream maps("/proc/self/maps");
  if (!maps) {
    throw Error(Errc::kResources, with_errno("cannot read /proc/self/maps"));
  }
  for (std::string line; std::getline(maps, line);) {
    if (line.find(" /dev/infiniband/") == std::string::npos) {
      continue;
    }
    std::istringstream fields(line);
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    char dash = 0;
    fields >> std::hex >> begin >> dash >> end;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the kernel tells addresses as text
    madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTFORK);
  }
}

}  // namespace rdmasync::rdma

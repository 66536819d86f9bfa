#pragma once

#include <chrono>
#include <ctime>

namespace rdmasync {

/// What the calling thread has run so far. Unlike the wall clock it leaves out the time that other
/// processes took on a busy machine, so it tells what the module costs the thread.
inline std::chrono::microseconds thread_cpu_time() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_nsec / 1000);
}

}  // namespace rdmasync

#pragma once

#include <sys/types.h>

#include <algorithm>

namespace rdmasync::bench {

/// CPU seconds of a process.
struct CpuTime {
  double main = 0;      ///< its main thread
  double threads = 0;   ///< all others, also those that have ended
  double children = 0;  ///< that it has waited for

  CpuTime& operator+=(const CpuTime& other) {
    main += other.main;
    threads += other.threads;
    children += other.children;
    return *this;
  }
  friend CpuTime operator-(const CpuTime& one, const CpuTime& other) {
    // The clocks are read one after the other.
    return {std::max(0.0, one.main - other.main), std::max(0.0, one.threads - other.threads),
            std::max(0.0, one.children - other.children)};
  }
};

CpuTime cpu_time(pid_t pid);

/// Milliseconds of CPU time that the host of this virtual machine has given to others while it was
/// asked for, since boot; 0 where nobody counts.
double stolen_ms();

/// Page faults that a process has had, without those that went to the disk.
double page_faults(pid_t pid);

}  // namespace rdmasync::bench

#pragma once

#include <atomic>
#include <chrono>
#include <exception>
#include <thread>

#include "bench/support.h"

namespace rdmasync::bench {

/// Asks a replica for a value every other millisecond, from a thread of its own, and adds up the
/// time in which it would not answer: from the last answer before an error, or before an answer
/// that took longer than 5 ms, to the next one.
class Availability {
 public:
  explicit Availability(Client client);
  ~Availability();
  Availability(const Availability&) = delete;
  Availability& operator=(const Availability&) = delete;

  /// Milliseconds since it was made. Ends it; throws what the thread died of.
  double stop();

 private:
  using Clock = std::chrono::steady_clock;

  void run();
  void finish();

  Client client_;
  std::chrono::duration<double, std::milli> gone_{0};
  std::atomic<bool> stopping_{false};
  std::exception_ptr error_;
  std::thread thread_;
};

}  // namespace rdmasync::bench

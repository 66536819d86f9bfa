#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <random>
#include <thread>

#include "bench/measure/dataset.h"
#include "bench/support.h"

namespace rdmasync::bench {

/// Writes to a master at a steady rate, from a thread of its own: every type, a transaction,
/// deletes and expiries, several databases, and a few bytes into large values. What it writes stays
/// bounded.
class Writer {
 public:
  /// `rate` is in commands a second, `large_rate` of them into large values.
  Writer(Client client, Dataset dataset, std::uint64_t rate, std::uint64_t large_rate);
  ~Writer() { finish(); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  /// Returns when the last write has been answered; throws what the writer died of.
  void stop();

  /// Since the last call.
  std::uint64_t take_writes() { return writes_.exchange(0); }
  std::chrono::microseconds take_longest_wait() {
    return std::chrono::microseconds(longest_wait_us_.exchange(0));
  }

 private:
  void run();
  void finish();
  void write_batch(std::uint64_t commands, std::uint64_t large);
  std::uint64_t append_one();

  Client client_;
  Dataset dataset_;
  std::uint64_t rate_;
  std::uint64_t large_rate_;
  std::minstd_rand random_{7};
  std::atomic<std::uint64_t> writes_{0};
  std::atomic<std::int64_t> longest_wait_us_{0};
  std::atomic<bool> stopping_{false};
  std::exception_ptr error_;
  std::thread thread_;
};

}  // namespace rdmasync::bench

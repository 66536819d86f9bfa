#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "command_mix.h"
#include "tests/support/server.h"

namespace rdmasync::test {

/// Threads that write to a server as fast as it takes it: the mix, and clients that block on its
/// keys. What each thread sends depends on the seed alone.
class Writers {
 public:
  /// `followers`: replicas that have a batch before the next is sent. Without any, the mix is
  /// faster than a replica of which others are copied.
  Writers(Server& server, std::uint64_t seed, int mix_threads = 3, int followers = 0);
  ~Writers();
  Writers(const Writers&) = delete;
  Writers& operator=(const Writers&) = delete;

  /// Waits until what has been sent is answered. Throws if a thread lost its connection.
  void stop();
  /// Commands answered without an error, so far.
  std::uint64_t succeeded() const { return succeeded_; }
  std::uint64_t failed() const { return failed_; }

 private:
  void run_mix(Client client, std::uint64_t seed, int followers);
  void run_blocked(Client client, std::uint64_t seed);
  void count(const Reply& reply);
  void join();

  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> succeeded_{0};
  std::atomic<std::uint64_t> failed_{0};
  std::atomic<bool> lost_{false};
  std::vector<std::thread> threads_;
};

}  // namespace rdmasync::test

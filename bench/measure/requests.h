#pragma once

#include <hiredis/hiredis.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <exception>
#include <filesystem>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "bench/measure/dataset.h"
#include "bench/measure/outcome.h"
#include "bench/support.h"

namespace rdmasync::bench {

/// Clients of a master that come at a fixed rate, whether or not it answers (an open loop): four
/// GETs to a SET of 100 bytes, over several connections, from a thread of their own. A request's
/// latency counts from when it was due, so that those that had to wait for their turn count, too.
///
/// The thread has real-time priority where that is allowed: clients on other machines would not
/// have to wait for this one's CPU to send.
class Requests {
 public:
  using Clock = std::chrono::steady_clock;

  /// A sample of one request.
  struct Sample {
    Clock::time_point due;
    float latency_ms;
  };

  Requests(std::filesystem::path socket, const Dataset& dataset, std::uint64_t rate);
  ~Requests() { finish(); }
  Requests(const Requests&) = delete;
  Requests& operator=(const Requests&) = delete;

  /// Ends when every request is answered; throws what the thread died of.
  void stop();

  /// Of the requests due from `from` to `to`. After `stop`.
  Latency latency(Clock::time_point from, Clock::time_point to) const;
  /// For how long altogether, in milliseconds, the thread was kept from sending. With real-time
  /// priority nothing does so but the kernel, for less than is counted here, and the host of a
  /// virtual machine.
  double kept_waiting_ms(Clock::time_point from, Clock::time_point to) const;
  /// Latencies in slots, `at_ms` counting from `zero`.
  std::vector<LatencySlot> slots(Clock::time_point from, Clock::time_point to,
                                 Clock::time_point zero, Clock::duration slot) const;

 private:
  struct FreeContext {
    void operator()(redisContext* context) const { redisFree(context); }
  };
  struct Connection {
    std::unique_ptr<redisContext, FreeContext> context;
    std::deque<Clock::time_point> due;  ///< of what was sent and not answered
    bool unsent = false;
  };

  void run();
  void note_late(Clock::time_point due, Clock::time_point now);
  void finish();
  void connect();
  void append(Connection& connection);
  void exchange(Clock::time_point next);
  void take_replies(Connection& connection);
  bool idle() const;

  std::filesystem::path socket_;
  std::uint64_t small_count_;
  std::uint64_t rate_;
  std::vector<Connection> connections_;
  std::vector<Sample> samples_;
  std::vector<Sample> late_;  ///< sent that much after they were due
  std::minstd_rand random_{11};
  std::atomic<bool> stopping_{false};
  std::exception_ptr error_;
  std::thread thread_;
};

}  // namespace rdmasync::bench

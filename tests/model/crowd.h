#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "harness/server.h"
#include "repertoire.h"

namespace rdmasync::test {

/// Threads that do something again and again until they are told to pause or to stop.
class Crowd {
 public:
  /// One step; returns how many commands were answered. After none there is a short rest.
  using Step = std::function<int()>;

  Crowd() = default;
  ~Crowd();
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  void add(Step step);
  /// Returns once nobody is in a step. Throws what a step has thrown.
  void pause();
  void resume();
  void stop();
  std::uint64_t answered() const { return answered_; }
  /// Waits until so many more commands are answered.
  void go_on(std::uint64_t commands);

 private:
  void run(const Step& step);
  void join();
  void check();

  std::mutex mutex_;
  std::condition_variable changed_;
  bool paused_ = false;
  bool stopping_ = false;
  std::size_t busy_ = 0;  ///< threads in a step
  std::exception_ptr failure_;
  std::atomic<std::uint64_t> answered_{0};
  std::vector<std::thread> threads_;
};

struct Pace {
  int batch = 24;  ///< commands sent before the first is answered
  int hold = 20;   ///< batches for which a transaction stays open, on average
};

/// Sends units at full speed, and has a few transactions open beside them.
Crowd::Step mixer(Server& server, const Repertoire& repertoire, const Playground& playground,
                  std::uint64_t seed, Pace pace);

/// Blocks on keys that others write.
Crowd::Step waiter(Server& server, const Repertoire& repertoire, const Playground& playground,
                   std::uint64_t seed);

}  // namespace rdmasync::test

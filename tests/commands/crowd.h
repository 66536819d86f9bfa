#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/commands/repertoire.h"
#include "tests/support/server.h"

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

/// Sends units at full speed, `batch` commands before the first is answered. `followers`: replicas
/// that have them before more are sent; so many writes are too fast for one that is copied itself.
Crowd::Step mixer(Server& server, const Repertoire& repertoire, const Playground& playground,
                  std::uint64_t seed, int batch, int followers);

/// Has transactions open side by side, each for `hold` of its turns on average, so that they are
/// queued before a scan, a round or a cut, and run after it. Half of them write nothing but keys of
/// `kept`, which nobody else does: there what one of them wrote shows to the end.
Crowd::Step holder(Server& server, const Repertoire& repertoire, const Playground& playground,
                   const Playground& kept, std::uint64_t seed, int hold);

/// Sends more keys at once than a small cut has, so that rounds do not converge.
Crowd::Step flood(Server& server, const Playground& playground, int followers);

/// Blocks on keys that others write.
Crowd::Step waiter(Server& server, const Repertoire& repertoire, const Playground& playground,
                   std::uint64_t seed);

}  // namespace rdmasync::test

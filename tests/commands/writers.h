#pragma once

#include <cstdint>

#include "tests/commands/crowd.h"
#include "tests/commands/dice.h"
#include "tests/commands/repertoire.h"
#include "tests/support/server.h"

namespace rdmasync::test {

/// Threads that send a server every write command at full speed, the model's own, until stop().
class Writers {
 public:
  /// `followers`: replicas that have a batch before the next is sent. Without any, so many writes
  /// are too fast for a replica of which others are copied.
  Writers(Server& server, std::uint64_t seed, int mixers = 3, int followers = 0);
  Writers(const Writers&) = delete;
  Writers& operator=(const Writers&) = delete;

  /// Waits until so many further commands are answered.
  void go_on(std::uint64_t commands) { crowd_.go_on(commands); }
  /// Waits until what has been sent is answered. Throws if a thread lost its connection.
  void stop() { crowd_.stop(); }

 private:
  Server elsewhere_;  ///< for MIGRATE
  Repertoire repertoire_;
  Playground playground_;
  Crowd crowd_;
};

}  // namespace rdmasync::test

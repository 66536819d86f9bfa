#include "writers.h"

#include <stdexcept>

namespace rdmasync::test {
namespace {

constexpr int kBlockedThreads = 2;
constexpr std::size_t kBatch = 24;

/// Short, so that stop() need not wait.
constexpr const char* kBlockSeconds = "0.02";
constexpr const char* kBlockMs = "20";
constexpr const char* kLongestWaitMs = "100";

Command blocking_command(std::uint64_t step, std::uint64_t seed) {
  const auto key = [&](const char* type) {
    return std::string(type) + ":" + std::to_string((step * 7 + seed) % 60);
  };
  switch (step % 6) {
    case 0:
      return {"BLPOP", key("l"), key("l") + "0", kBlockSeconds};
    case 1:
      return {"BLMOVE", key("l"), "l:3", "LEFT", "RIGHT", kBlockSeconds};
    case 2:
      return {"BZPOPMIN", key("z"), "z:5", kBlockSeconds};
    case 3:
      return {"XREADGROUP", "GROUP",  "g0",      "c0",     "COUNT", "3",
              "BLOCK",      kBlockMs, "STREAMS", key("x"), ">"};
    case 4:
      return {"BLMPOP", kBlockSeconds, "2", key("l"), "l:4", "RIGHT", "COUNT", "2"};
    default:
      return {"BRPOPLPUSH", key("l"), "l:9", kBlockSeconds};
  }
}

}  // namespace

Writers::Writers(Server& server, std::uint64_t seed, int mix_threads, int followers) {
  constexpr std::uint64_t kSeedsPerRun = 100;
  for (int i = 0; i < mix_threads; i++) {
    threads_.emplace_back(&Writers::run_mix, this, server.connect(), seed * kSeedsPerRun + i,
                          followers);
  }
  for (int i = 0; i < kBlockedThreads; i++) {
    threads_.emplace_back(&Writers::run_blocked, this, server.connect(), seed + i);
  }
}

Writers::~Writers() {
  join();
}

void Writers::join() {
  stopping_ = true;
  for (std::thread& thread : threads_) {
    thread.join();
  }
  threads_.clear();
}

void Writers::stop() {
  join();
  if (lost_) {
    throw std::runtime_error("a writer lost its connection to the server");
  }
}

void Writers::count(const Reply& reply) {
  (reply.is_error() ? failed_ : succeeded_)++;
}

void Writers::run_mix(Client client, std::uint64_t seed, int followers) {
  try {
    CommandMix mix(seed);
    while (!stopping_) {
      std::size_t sent = 0;
      while (sent < kBatch) {
        for (const Command& command : mix.next()) {
          client.send(command);
          sent++;
        }
      }
      for (; sent > 0; sent--) {
        count(client.receive());
      }
      if (followers > 0) {
        client.run({"WAIT", std::to_string(followers), kLongestWaitMs});
      }
    }
  } catch (const ConnectionLost&) {
    lost_ = true;
  }
}

void Writers::run_blocked(Client client, std::uint64_t seed) {
  try {
    for (std::uint64_t step = seed; !stopping_; step++) {
      count(client.run(blocking_command(step, seed)));
    }
  } catch (const ConnectionLost&) {
    lost_ = true;
  }
}

}  // namespace rdmasync::test

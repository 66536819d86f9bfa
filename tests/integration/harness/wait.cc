#include "harness/wait.h"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <thread>

namespace rdmasync::test {

void wait_until(const std::string& what, const std::function<bool()>& condition,
                const std::function<std::string()>& observed) {
  using std::chrono::steady_clock;
  // To look takes time from the server, all of it where machines are slow.
  constexpr steady_clock::duration kPauseMin = std::chrono::milliseconds(2);
  constexpr steady_clock::duration kPauseMax = std::chrono::milliseconds(20);
  const auto start = steady_clock::now();
  while (!condition()) {
    const auto waited = steady_clock::now() - start;
    if (waited > kDeadline) {
      throw std::runtime_error("waited in vain until " + what +
                               (observed ? "; now: " + observed() : std::string()));
    }
    std::this_thread::sleep_for(std::clamp(waited / 8, kPauseMin, kPauseMax));
  }
}

}  // namespace rdmasync::test

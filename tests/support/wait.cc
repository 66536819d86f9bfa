#include "tests/support/wait.h"

#include <algorithm>
#include <stdexcept>
#include <thread>

#include "tests/support/process.h"

namespace rdmasync::test {

void wait_until(const std::string& what, const std::function<bool()>& condition,
                const std::function<std::string()>& observed, const Patience& patience) {
  using std::chrono::steady_clock;
  const steady_clock::duration shortest = std::chrono::milliseconds(2);
  const steady_clock::duration longest = patience.longest_pause;
  const auto start = steady_clock::now();
  while (!condition()) {
    throw_if_interrupted();
    const auto waited = steady_clock::now() - start;
    if (waited > patience.most) {
      throw std::runtime_error("waited in vain until " + what +
                               (observed ? "; now: " + observed() : std::string()));
    }
    std::this_thread::sleep_for(std::clamp(waited / 8, shortest, longest));
  }
}

}  // namespace rdmasync::test

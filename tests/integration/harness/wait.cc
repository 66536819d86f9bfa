#include "harness/wait.h"

#include <stdexcept>
#include <thread>

namespace rdmasync::test {

void wait_until(const std::string& what, const std::function<bool()>& condition,
                const std::function<std::string()>& observed) {
  constexpr std::chrono::milliseconds kPause{2};
  const auto deadline = std::chrono::steady_clock::now() + kDeadline;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) {
      throw std::runtime_error("waited in vain until " + what +
                               (observed ? "; now: " + observed() : std::string()));
    }
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace rdmasync::test

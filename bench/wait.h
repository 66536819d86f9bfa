#pragma once

#include <fmt/format.h>

#include <chrono>
#include <stdexcept>
#include <string_view>
#include <thread>

#include "bench/process.h"

namespace rdmasync::bench {

/// Blocks until the condition is true; throws std::runtime_error if that takes longer than `most`.
template <typename Condition>
void wait_for(std::chrono::seconds most, std::string_view what, const Condition& condition) {
  constexpr auto kPoll = std::chrono::milliseconds(2);
  const auto deadline = std::chrono::steady_clock::now() + most;
  while (!condition()) {
    throw_if_interrupted();
    if (std::chrono::steady_clock::now() > deadline) {
      throw std::runtime_error(fmt::format("{} took more than {} s", what, most.count()));
    }
    std::this_thread::sleep_for(kPoll);
  }
}

}  // namespace rdmasync::bench

#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace rdmasync::test {

struct Patience {
  /// Far beyond what any condition takes on a loaded machine: it bounds a hang, it measures
  /// nothing.
  std::chrono::seconds most{120};
  /// Between two looks. To look takes time from the server, all of it where machines are slow.
  std::chrono::milliseconds longest_pause{20};
};

/// Polls until the condition holds; throws std::runtime_error, naming `what`, when that takes too
/// long, or the program is interrupted. `observed`, if given, is asked for the state to put into
/// that message.
void wait_until(const std::string& what, const std::function<bool()>& condition,
                const std::function<std::string()>& observed = {}, const Patience& patience = {});

}  // namespace rdmasync::test

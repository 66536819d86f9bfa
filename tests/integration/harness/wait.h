#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace rdmasync::test {

/// Far beyond what any condition takes on a loaded machine: it bounds a hang, it measures nothing.
inline constexpr std::chrono::seconds kDeadline{120};

/// Polls until the condition holds; throws, naming `what`, when the deadline passes.
/// `observed`, if given, is asked for the state to put into that message.
void wait_until(const std::string& what, const std::function<bool()>& condition,
                const std::function<std::string()>& observed = {});

}  // namespace rdmasync::test

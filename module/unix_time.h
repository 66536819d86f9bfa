#pragma once

#include <chrono>
#include <cstdint>

namespace rdmasync {

/// As keys' times of expiry are told. Any thread.
inline std::int64_t unix_time_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

}  // namespace rdmasync

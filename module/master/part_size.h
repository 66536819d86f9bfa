#pragma once

#include <algorithm>
#include <cstddef>

namespace rdmasync::master {

/// How collections and lists are cut into parts.
struct PartSize {
  explicit PartSize(std::size_t large)
      : least(large), elements(std::clamp(large / kLeastParts, std::size_t{1}, kMostElements)) {}

  /// Bytes of names and values; long elements make shorter slices.
  static constexpr std::size_t kBytes = 32U << 10;

  std::size_t least;     ///< elements of what goes in parts
  std::size_t elements;  ///< of a part, at most; reading so many takes some ten microseconds

 private:
  static constexpr std::size_t kMostElements = 64;
  static constexpr std::size_t kLeastParts = 4;
};

}  // namespace rdmasync::master

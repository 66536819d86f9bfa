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

  /// Whether what has so many elements, and about so many bytes, as far as they are known, goes in
  /// parts.
  bool is_large(std::size_t count, std::size_t bytes) const {
    return count >= least || bytes >= least * kBytesOfElement;
  }
  /// Whether that depends on the bytes.
  bool may_be_long(std::size_t count) const { return count >= kFewest && count < least; }

  std::size_t least;     ///< elements of what goes in parts, however short they are
  std::size_t elements;  ///< of a part, at most; reading so many takes some ten microseconds

 private:
  // To ask for the bytes of fewer takes longer than to dump them, mostly.
  static constexpr std::size_t kFewest = 16;
  // More than most have.
  static constexpr std::size_t kBytesOfElement = 512;
  static constexpr std::size_t kMostElements = 64;
  static constexpr std::size_t kLeastParts = 4;
};

}  // namespace rdmasync::master

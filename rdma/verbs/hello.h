#pragma once

#include <cstddef>
#include <cstdint>

#include "rdma/fabric.h"

/// What crosses in the private data of rdma_cm, little-endian. It arrives padded with zeros, so the
/// size that arrived tells nothing.
namespace rdmasync::rdma::verbs {

inline constexpr std::uint32_t kHelloMagic = 0x6d617264;  // "dram"
inline constexpr std::uint16_t kHelloVersion = 1;

/// In the connect request.
struct Hello {
  std::uint32_t magic = kHelloMagic;
  std::uint16_t version = kHelloVersion;
  std::uint16_t length = sizeof(Token);
  Token token{};
};
static_assert(sizeof(Hello) == 24 && sizeof(Hello) <= 56);

enum class Refusal : std::uint16_t {
  kUnknownToken = 1,
  kWrongVersion = 2,
  kNoResources = 3,
};

/// In the reject. One without it does not come from a listener of ours.
struct Rejected {
  std::uint32_t magic = kHelloMagic;
  std::uint16_t version = kHelloVersion;
  Refusal why{};
};
static_assert(sizeof(Rejected) == 8 && sizeof(Rejected) <= 148);

}  // namespace rdmasync::rdma::verbs

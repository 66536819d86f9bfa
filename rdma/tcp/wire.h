#pragma once

#include <cstdint>

#include "rdma/fabric.h"

/// What crosses a connection of the tcp fabric, little-endian. The reader says TcpHello and is
/// answered by a TcpReply of kWelcome, or of why not and the end. From then on it sends
/// TcpRequests, which are answered in order, each by kData frames (a TcpReply and `length` bytes)
/// and at last by one kDone or kNoAccess. Only kDone makes the bytes that came before it valid.
namespace rdmasync::rdma {

struct TcpHello {
  static constexpr std::uint64_t kMagic = 0x4D41455250435444;  // "DTCPREAM"
  static constexpr std::uint32_t kVersion = 1;

  std::uint64_t magic = kMagic;
  std::uint32_t version = kVersion;
  std::uint32_t unused = 0;
  Token token{};
};

struct TcpRequest {
  std::uint64_t id;  ///< counts from 0
  std::uint64_t address;
  std::uint64_t length;
  std::uint32_t rkey;
  std::uint32_t unused;
};

enum class TcpStatus : std::uint32_t {
  kWelcome = 1,
  kWrongVersion,
  kUnknownToken,
  kData,
  kDone,
  kNoAccess,
};

struct TcpReply {
  std::uint64_t id;
  TcpStatus status;
  std::uint32_t length;  ///< bytes that follow, of kData; else 0
};

static_assert(sizeof(TcpHello) == 32 && sizeof(TcpRequest) == 32 && sizeof(TcpReply) == 16);

/// How many requests may be under way on one connection.
inline constexpr std::size_t kTcpWindow = 128;

}  // namespace rdmasync::rdma

#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "rdma/emulated/region_table.h"
#include "rdma/fabric.h"

/// What the two ends of a cma session agree on: memory of the owner that its readers read.
namespace rdmasync::rdma {

struct CmaSession {
  std::uint64_t serial;  ///< never the same twice; 0 while no session has this entry
  Token token;
};

struct CmaBoard {
  static constexpr std::uint64_t kMagic = 0x3152414F42414D43;  // "CMABOAR1"
  static constexpr std::size_t kSessions = 1024;

  std::uint64_t magic;
  Token nonce;            ///< of this board, so that a process with a reused pid is told apart
  std::uint64_t entries;  ///< address of the RegionEntry array
  RegionKeys keys;
  std::uint32_t unused;
  std::array<CmaSession, kSessions> sessions;
};

/// Where a board is; its printable form is the endpoint of a cma listener.
struct CmaEndpoint {
  std::string host;  ///< identifies the running kernel and the pid namespace
  int pid = 0;
  std::uint64_t board = 0;  ///< address of the CmaBoard
  Token nonce{};

  std::string print() const;
  /// Throws Error(kProtocol).
  static CmaEndpoint parse(std::string_view text);
};

/// CmaEndpoint::host of this process. Throws Error(kResources) if /proc does not tell.
std::string cma_host();

}  // namespace rdmasync::rdma

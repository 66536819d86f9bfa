#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "rdma/cma/board.h"
#include "rdma/fabric.h"
#include "rdma/unique_fd.h"

namespace rdmasync::rdma {

/// Another process of this host, whose registered memory we read while it admits our session. Any
/// thread.
class CmaPeer {
 public:
  /// Throws Error(kRefused) when the process is not that owner any more, does not let us read it,
  /// or does not know the token.
  CmaPeer(const CmaEndpoint& endpoint, const Token& token);

  /// Copies `length` bytes, in one system call. Returns kAccess or kPeerLost.
  std::optional<Error> read(std::byte* into, std::uint64_t remote, std::uint32_t rkey,
                            std::size_t length) const;

 private:
  void find_session(const CmaEndpoint& endpoint, const Token& token);
  bool alive() const;
  bool session_stands() const;

  int pid_;
  UniqueFd pidfd_;
  std::uint64_t entries_ = 0;  ///< address of the owner's RegionEntry array
  RegionKeys keys_{};
  std::uint64_t session_ = 0;  ///< address of our CmaSession::serial
  std::uint64_t serial_ = 0;
};

}  // namespace rdmasync::rdma

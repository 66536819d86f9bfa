#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "rdma/fabric.h"

namespace rdmasync::rdma {

/// The tokens of the sessions let in. Any thread.
class Admissions {
 public:
  void admit(const Token& token);
  void revoke(const Token& token);

  /// The serial of the session that a token was admitted for; none is used twice.
  std::optional<std::uint64_t> find(const Token& token) const;
  /// Whether that session has not been revoked.
  bool stands(std::uint64_t serial) const;

 private:
  struct Entry {
    Token token;
    std::uint64_t serial;
  };

  mutable std::mutex mutex_;
  std::vector<Entry> admitted_;
  std::uint64_t next_serial_ = 0;
};

}  // namespace rdmasync::rdma

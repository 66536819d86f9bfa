#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <vector>

#include "rdma/fabric.h"

namespace rdmasync::rdma::verbs {

/// The reads of a connection, cut into the pieces that are posted as work requests. Pieces are
/// numbered in the order in which they are sent, which is the order in which they complete. For one
/// thread.
class Transfers {
 public:
  using ReadId = std::uint64_t;

  struct Transfer {
    ReadId id;
    std::size_t missing;  ///< bytes that have not arrived
  };

  struct Piece {
    std::list<Transfer>::iterator of;
    std::byte* into;
    std::uint64_t remote;
    std::uint32_t lkey;
    std::uint32_t rkey;
    std::uint32_t length;
    bool last;  ///< of its read
  };

  /// `lkeys`: of read.local.
  void add(const Read& read, const PartKeys& lkeys);

  bool empty() const { return transfers_.empty(); }
  bool waiting() const { return !waiting_.empty(); }
  std::size_t in_flight() const { return in_flight_.size(); }
  bool is_in_flight(std::uint64_t number) const {
    return number - first_number_ < in_flight_.size();
  }

  struct Sent {
    std::uint64_t number;
    const Piece& piece;
  };
  /// The next piece, which is in flight from now on.
  Sent send();

  /// Every piece in flight up to that one has arrived; returns the reads that are complete by that.
  std::vector<ReadId> arrived(std::uint64_t number);

  /// All that was in flight must be sent again.
  void rewind();

  /// rewind(), and the read of that piece is given up. Returns it.
  ReadId rewind_without(std::uint64_t number);

  /// Gives up every read.
  std::vector<ReadId> clear();

 private:
  std::list<Transfer> transfers_;
  std::deque<Piece> waiting_;
  std::deque<Piece> in_flight_;
  std::uint64_t first_number_ = 0;  ///< of the first in flight
};

}  // namespace rdmasync::rdma::verbs

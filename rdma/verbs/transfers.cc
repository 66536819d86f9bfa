#include "rdma/verbs/transfers.h"

#include <algorithm>
#include <iterator>

namespace rdmasync::rdma::verbs {
namespace {

// Large enough to forget the cost of a work request, small enough to be lost without pain.
constexpr std::size_t kPiece = std::size_t{1} << 20;

}  // namespace

void Transfers::add(const Read& read, const PartKeys& lkeys) {
  const auto transfer = transfers_.insert(transfers_.end(), {read.id, read.length});
  std::size_t length = 0;
  for (std::size_t offset = 0; offset < read.length; offset += length) {
    std::byte* const into = read.into + offset;
    const auto local = reinterpret_cast<std::uintptr_t>(into);
    const std::uint64_t remote = read.remote + offset;
    length = std::min({kPiece, read.length - offset, lkeys.left(local), read.rkeys.left(remote)});
    waiting_.push_back({.of = transfer,
                        .into = into,
                        .remote = remote,
                        .lkey = lkeys.at(local),
                        .rkey = read.rkeys.at(remote),
                        .length = static_cast<std::uint32_t>(length),
                        .last = offset + length == read.length});
  }
}

Transfers::Sent Transfers::send() {
  in_flight_.push_back(waiting_.front());
  waiting_.pop_front();
  return {first_number_ + in_flight_.size() - 1, in_flight_.back()};
}

std::vector<Transfers::ReadId> Transfers::arrived(std::uint64_t number) {
  std::vector<ReadId> complete;
  while (!in_flight_.empty() && first_number_ <= number) {
    const Piece& piece = in_flight_.front();
    piece.of->missing -= piece.length;
    if (piece.of->missing == 0) {
      complete.push_back(piece.of->id);
      transfers_.erase(piece.of);
    }
    in_flight_.pop_front();
    ++first_number_;
  }
  return complete;
}

void Transfers::rewind() {
  first_number_ += in_flight_.size();
  waiting_.insert(waiting_.begin(), in_flight_.begin(), in_flight_.end());
  in_flight_.clear();
}

Transfers::ReadId Transfers::rewind_without(std::uint64_t number) {
  const auto given_up = in_flight_.at(number - first_number_).of;
  rewind();
  std::erase_if(waiting_, [&](const Piece& piece) { return piece.of == given_up; });
  const ReadId id = given_up->id;
  transfers_.erase(given_up);
  return id;
}

std::vector<Transfers::ReadId> Transfers::clear() {
  std::vector<ReadId> ids;
  std::transform(transfers_.begin(), transfers_.end(), std::back_inserter(ids),
                 [](const Transfer& transfer) { return transfer.id; });
  first_number_ += in_flight_.size();
  in_flight_.clear();
  waiting_.clear();
  transfers_.clear();
  return ids;
}

}  // namespace rdmasync::rdma::verbs

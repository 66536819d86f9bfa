#include "rdma/verbs/connection.h"

#include <netdb.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include "rdma/endpoint.h"
#include "rdma/event.h"
#include "rdma/verbs/poll_set.h"
#include "rdma/verbs/queue_pair.h"
#include "rdma/verbs/timer.h"
#include "rdma/verbs/transfers.h"
#include "rdmasync/error.h"

namespace rdmasync::rdma::verbs {
namespace {

using Clock = Timer::Clock;
using std::chrono::milliseconds;

// Work requests that are handed to the device at a time.
constexpr std::size_t kBatch = 16;

// A read's last piece is always signaled; of longer ones some in between, to make room in the queue
// and to see that the peer lives.
constexpr unsigned kUnsignaled = 16;

// Between attempts to connect anew that failed for a reason that may pass.
constexpr milliseconds kRetryMin{10};
constexpr milliseconds kRetryMax{500};

bool is_fault_of_peer_memory(ibv_wc_status status) {
  return status == IBV_WC_REM_ACCESS_ERR || status == IBV_WC_REM_OP_ERR ||
         status == IBV_WC_REM_INV_REQ_ERR;
}

bool is_fault_of_local_memory(ibv_wc_status status) {
  return status == IBV_WC_LOC_PROT_ERR || status == IBV_WC_LOC_LEN_ERR;
}

/// Posts pieces of reads over a queue pair, and over a new one when that broke.
///
/// A read that hits memory which its owner has deregistered breaks the queue pair, and with it the
/// reads after it. That is daily business here, so only that read fails; the others are sent again
/// over a new queue pair. It comes to an end: every new one has cost a read, or has moved bytes,
/// or counts against the peer's time.
class VerbsConnection final : public Connection {
 public:
  VerbsConnection(const QueuePair::Target& target, milliseconds patience, ChooseDevice choose)
      : target_(target), choose_(std::move(choose)), patience_(patience) {
    watchers_.add(ready_.fd());
    watchers_.add(timer_.fd());
    queue_pair_ = std::make_unique<QueuePair>(watchers_, target_, choose_);
  }

  /// Blocks until connected. Throws.
  void await_queue_pair(Clock::time_point deadline) {
    while (!queue_pair_->established()) {
      const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
      if (left.count() <= 0) {
        throw Error(Errc::kPeerLost, "the peer did not answer an RDMA connect request within " +
                                         std::to_string(patience_.count()) + " ms");
      }
      pollfd readable{watchers_.fd(), POLLIN, 0};
      ::poll(&readable, 1, static_cast<int>(left.count()));
      queue_pair_->advance();
    }
    device_ = queue_pair_->device();
    queue_pair_->announce_next();
  }

  int fd() const override { return watchers_.fd(); }

  void post(const Read& read) override {
    const auto* region = dynamic_cast<const Region*>(read.local);
    if (read.length == 0) {
      finish(read.id, std::nullopt);
    } else if (region == nullptr || !region->takes(*device_, read.into, read.length)) {
      finish(read.id,
             Error(Errc::kUsage, "a read was posted into memory that is not registered for it"));
    } else if (lost_) {
      finish(read.id, lost_);
    } else {
      if (transfers_.empty() && established()) {
        heard_ = Clock::now();  // the peer's time to answer begins
      }
      transfers_.add(read, region->lkeys());
      send();
      set_timer();
    }
    show_ready();
  }

  std::size_t poll(std::span<Completion> out) override {
    advance();
    const std::size_t count = std::min(out.size(), done_.size());
    const auto end = std::next(done_.begin(), static_cast<std::ptrdiff_t>(count));
    std::move(done_.begin(), end, out.begin());
    done_.erase(done_.begin(), end);
    show_ready();
    return count;
  }

 private:
  bool established() const { return queue_pair_ && queue_pair_->established(); }

  void advance() {
    if (lost_) {
      return;
    }
    reap();
    if (done_.empty()) {
      // Only now what takes system calls: whatever it is, the descriptor stays readable for it.
      hear_queue_pair();
      check_clock();
    }
    // The caller may wait from here on, so that completions must be announced.
    if (established() && queue_pair_->announce_next()) {
      reap();
    }
    set_timer();
  }

  /// Takes work completions until there are none.
  void reap() {
    std::array<ibv_wc, 32> completions;
    while (established()) {
      const int count = queue_pair_->poll(completions);
      if (count < 0) {
        reconnect("the completion queue is broken");
        return;
      }
      if (count == 0) {
        return;
      }
      for (const ibv_wc& completion : std::span(completions).first(count)) {
        if (completion.status != IBV_WC_SUCCESS) {
          on_failure(completion);
          return;
        }
        for (const auto id : transfers_.arrived(completion.wr_id)) {
          finish(id, std::nullopt);
        }
      }
      heard_ = Clock::now();
      pause_ = kRetryMin;
      send();
    }
  }

  /// The first failure of a queue pair tells the piece at fault, or that none is; the others are
  /// flushed.
  void on_failure(const ibv_wc& completion) {
    const ibv_wc_status status = completion.status;
    const std::string why = ibv_wc_status_str(status);
    const bool remote = is_fault_of_peer_memory(status);
    if ((!remote && !is_fault_of_local_memory(status)) ||
        !transfers_.is_in_flight(completion.wr_id)) {
      reconnect(why);
      return;
    }
    heard_ = Clock::now();
    queue_pair_.reset();  // it may still be writing to the memory of that read
    finish(transfers_.rewind_without(completion.wr_id),
           remote ? Error(Errc::kAccess,
                          "read of memory that the peer has not registered (" + why + ")")
                  : Error(Errc::kUsage, "read into memory that is not there (" + why + ")"));
    reconnect(why);
  }

  /// Fills the send queue.
  void send() {
    while (established() && transfers_.waiting() && transfers_.in_flight() < queue_pair_->depth()) {
      std::array<ibv_send_wr, kBatch> requests{};
      std::array<ibv_sge, kBatch> into{};
      std::size_t count = 0;
      while (count < kBatch && transfers_.waiting() &&
             transfers_.in_flight() < queue_pair_->depth()) {
        const auto [number, piece] = transfers_.send();
        into.at(count) = {.addr = reinterpret_cast<std::uintptr_t>(piece.into),
                          .length = piece.length,
                          .lkey = piece.lkey};
        ibv_send_wr& request = requests.at(count);
        request.wr_id = number;
        request.sg_list = &into.at(count);
        request.num_sge = 1;
        request.opcode = IBV_WR_RDMA_READ;
        request.wr.rdma = {.remote_addr = piece.remote, .rkey = piece.rkey};
        if (piece.last || ++unsignaled_ == kUnsignaled) {
          request.send_flags = IBV_SEND_SIGNALED;
          unsignaled_ = 0;
        }
        if (count > 0) {
          requests.at(count - 1).next = &request;
        }
        ++count;
      }
      if (!queue_pair_->post(requests.front())) {
        reconnect("the queue pair takes no work requests");
      }
    }
  }

  void hear_queue_pair() {
    if (!queue_pair_) {
      return;
    }
    const bool was_established = queue_pair_->established();
    try {
      queue_pair_->advance();
    } catch (const Error& error) {
      if (error.code() == Errc::kPeerLost) {
        was_established ? reconnect(error.what()) : retry(error.what());
      } else {
        lose(error.what());
      }
      return;
    }
    if (!established()) {
      return;
    }
    if (!was_established) {
      send();
    }
    if (established()) {
      queue_pair_->take_announcement();
    }
  }

  void check_clock() {
    const auto now = Clock::now();
    timer_.hush(now);
    if (lost_ || (established() && transfers_.empty())) {
      return;
    }
    if (now >= heard_ + patience_) {
      lose("it has not answered for " + std::to_string(patience_.count()) + " ms" +
           (why_.empty() ? "" : " (" + why_ + ")"));
    } else if (!queue_pair_ && now >= retry_at_) {
      dial();
    }
  }

  /// Replaces a queue pair that broke.
  void reconnect(const std::string& why) {
    if (transfers_.empty()) {
      heard_ = Clock::now();
    }
    why_ = why;
    queue_pair_.reset();
    transfers_.rewind();
    unsignaled_ = 0;
    dial();
  }

  void dial() {
    try {
      queue_pair_ = std::make_unique<QueuePair>(watchers_, target_, choose_);
    } catch (const Error& error) {
      error.code() == Errc::kPeerLost ? retry(error.what()) : lose(error.what());
    }
  }

  /// Dials again after a pause.
  void retry(const std::string& why) {
    why_ = why;
    queue_pair_.reset();
    retry_at_ = Clock::now() + pause_;
    pause_ = std::min(2 * pause_, kRetryMax);
  }

  void lose(const std::string& why) {
    queue_pair_.reset();
    timer_.hush(Timer::kNever);
    lost_ = Error(Errc::kPeerLost, "the RDMA connection to the peer is lost: " + why);
    for (const auto id : transfers_.clear()) {
      finish(id, lost_);
    }
  }

  void set_timer() {
    if (lost_ || (established() && transfers_.empty())) {
      return;
    }
    timer_.ring_by(queue_pair_ ? heard_ + patience_ : std::min(retry_at_, heard_ + patience_));
  }

  void finish(Transfers::ReadId id, std::optional<Error> error) {
    done_.push_back({id, std::move(error)});
  }

  void show_ready() {
    if (ready_shown_ != !done_.empty()) {
      ready_shown_ = !ready_shown_;
      ready_shown_ ? ready_.set() : ready_.clear();
    }
  }

  const QueuePair::Target target_;
  const ChooseDevice choose_;
  const milliseconds patience_;

  PollSet watchers_;
  Event ready_;
  Timer timer_;
  bool ready_shown_ = false;

  std::shared_ptr<const Device> device_;
  std::unique_ptr<QueuePair> queue_pair_;  ///< none between attempts to connect anew
  std::string why_;                        ///< it broke, or did not come up, last time
  Clock::time_point retry_at_;
  milliseconds pause_ = kRetryMin;

  Transfers transfers_;
  unsigned unsignaled_ = 0;
  Clock::time_point heard_ = Clock::now();  ///< when the peer last showed that it lives
  std::deque<Completion> done_;
  std::optional<Error> lost_;
};

std::string out_of_reach(const Error& why, const std::string& host) {
  return std::string(why.what()) + "; see whether `rping -c -a " + host +
         "` works here while `rping -s -a " + host +
         "` runs there, or have it listen at an address of its RDMA device that this machine "
         "reaches";
}

}  // namespace

std::unique_ptr<Connection> connect(const ConnectOptions& options, const ChooseDevice& choose) {
  const milliseconds patience(options.peer_timeout_ms);
  const auto deadline = Clock::now() + patience;
  Endpoint endpoint = Endpoint::parse(options.endpoint);
  if (endpoint.host.empty()) {
    endpoint.host = options.host;
  }
  const Addresses addresses = resolve(endpoint);
  std::string why;
  for (const addrinfo* next = addresses.get(); next != nullptr; next = next->ai_next) {
    QueuePair::Target target{.token = options.token};
    std::memcpy(&target.address, next->ai_addr, next->ai_addrlen);
    try {
      auto connection = std::make_unique<VerbsConnection>(target, patience, choose);
      connection->await_queue_pair(deadline);
      return connection;
    } catch (const Error& error) {
      if (error.code() == Errc::kResources) {
        throw;
      }
      why = error.code() == Errc::kPeerLost ? out_of_reach(error, endpoint.host) : error.what();
    }
  }
  throw Error(Errc::kRefused, "cannot connect to " + endpoint.print() + ": " + why);
}

}  // namespace rdmasync::rdma::verbs

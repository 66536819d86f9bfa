#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <memory>
#include <span>

#include "rdma/fabric.h"
#include "rdma/verbs/device.h"
#include "rdma/verbs/event_channel.h"
#include "rdma/verbs/owned.h"
#include "rdma/verbs/poll_set.h"

namespace rdmasync::rdma::verbs {

/// One queue pair connected to a listener, or on its way there; never reused once it broke. Nothing
/// blocks. For one thread.
///
/// Destroying it ends its reads: afterwards nothing is written to their memory.
class QueuePair {
 public:
  struct Target {
    sockaddr_storage address{};
    Token token{};
  };

  /// Starts to connect; what it waits for is in `watchers` as long as it lives. Throws
  /// Error(kPeerLost) or Error(kResources).
  QueuePair(const PollSet& watchers, const Target& target, ChooseDevice choose);
  QueuePair(const QueuePair&) = delete;
  QueuePair& operator=(const QueuePair&) = delete;
  ~QueuePair();

  /// Takes what rdma_cm has to tell. Throws Error(kRefused) if the peer does not want this session,
  /// Error(kPeerLost) if the link is down or did not come up, which may be different next time.
  void advance();

  bool established() const { return established_; }

  // Once it is established.

  const std::shared_ptr<const Device>& device() const { return device_; }
  /// How many work requests may be outstanding.
  std::uint32_t depth() const { return depth_; }

  /// False if the queue pair takes none.
  bool post(ibv_send_wr& first);
  /// Returns how many have completed, below 0 if the completion queue is broken.
  int poll(std::span<ibv_wc> completions);

  /// Makes the watchers readable at the next completion. After true, poll() once more: completions
  /// from before are not announced.
  bool announce_next();
  /// Takes an announcement that is there, so that the watchers are readable no longer.
  void take_announcement();

 private:
  void resolve_address(rdma_cm_id& id);
  void on_address(rdma_cm_id& id);
  void on_route(rdma_cm_id& id);
  void make_queues(rdma_cm_id& id);

  const PollSet& watchers_;
  const Target target_;
  const ChooseDevice choose_;

  std::shared_ptr<const Device> device_;
  EventChannel events_;
  CompletionChannel announcements_;
  CompletionQueue completions_;
  CmId id_;
  std::uint32_t depth_ = 0;
  bool established_ = false;

  /// The queue is armed, or the announcement of it is in the channel or on its way there.
  bool armed_ = false;
};

}  // namespace rdmasync::rdma::verbs

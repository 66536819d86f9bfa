#include "rdma/verbs/listener.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <stop_token>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>

#include "rdma/admissions.h"
#include "rdma/endpoint.h"
#include "rdma/event.h"
#include "rdma/system.h"
#include "rdma/thread.h"
#include "rdma/verbs/bind.h"
#include "rdma/verbs/event_channel.h"
#include "rdma/verbs/hello.h"
#include "rdmasync/error.h"

namespace rdmasync::rdma::verbs {
namespace {

constexpr int kBacklog = 128;

/// Its thread makes and ends connections; the reads are the device's business alone.
class VerbsListener final : public Listener {
 public:
  VerbsListener(const std::string& address, const ChooseDevice& choose)
      : id_(bind_id(events_, address)),
        device_(choose(id_->verbs)),
        completions_(device_->make_completion_queue(1, nullptr)) {
    if (rdma_listen(id_.get(), kBacklog) != 0) {
      throw Error(Errc::kRefused, with_errno("cannot listen on " + device_->name()));
    }
    endpoint_ = Endpoint::of(*rdma_get_local_addr(id_.get())).print();
    thread_ = start_thread("rdmasync-verbs", [this](const std::stop_token& stop) { serve(stop); });
  }

  std::string endpoint() const override { return endpoint_; }

  void admit(const Token& token) override { admissions_.admit(token); }

  void revoke(const Token& token) override {
    admissions_.revoke(token);
    wake_.set();
  }

 private:
  struct Peer {
    CmId id;
    std::uint64_t serial;
  };

  void serve(const std::stop_token& stop) {
    const std::stop_callback wake(stop, [this] { wake_.set(); });
    while (!stop.stop_requested()) {
      std::array<pollfd, 2> ready{pollfd{events_.fd(), POLLIN, 0}, pollfd{wake_.fd(), POLLIN, 0}};
      ::poll(ready.data(), ready.size(), -1);
      if (ready[1].revents != 0) {
        wake_.clear();
        std::erase_if(peers_,
                      [this](const auto& each) { return !admissions_.stands(each.second.serial); });
      }
      while (const auto event = events_.next()) {
        on_event(*event);
      }
    }
  }

  void on_event(const CmEvent& event) {
    switch (event.type) {
      case RDMA_CM_EVENT_CONNECT_REQUEST:
        on_request(event);
        break;
      case RDMA_CM_EVENT_CONNECT_ERROR:
      case RDMA_CM_EVENT_UNREACHABLE:
      case RDMA_CM_EVENT_REJECTED:
      case RDMA_CM_EVENT_DISCONNECTED:
      case RDMA_CM_EVENT_TIMEWAIT_EXIT:
        peers_.erase(event.id);
        break;
      case RDMA_CM_EVENT_DEVICE_REMOVAL:
        // The kernel waits until nobody uses the device. Readers that come back are told so.
        peers_.erase(event.id);
        if (event.id == id_.get()) {
          id_.reset();
        }
        break;
      default:
        break;
    }
  }

  void on_request(const CmEvent& event) {
    CmId id(event.id);
    const auto hello = event.data_as<Hello>();
    if (hello.magic != kHelloMagic || hello.version != kHelloVersion ||
        hello.length != sizeof(Token)) {
      reject(*id, Refusal::kWrongVersion);
      return;
    }
    const auto serial = admissions_.find(hello.token);
    if (!serial) {
      reject(*id, Refusal::kUnknownToken);
      return;
    }
    if (!accept(*id, event)) {
      reject(*id, Refusal::kNoResources);
      return;
    }
    rdma_cm_id* key = id.get();
    peers_.emplace(key, Peer{std::move(id), *serial});
    if (!admissions_.stands(*serial)) {
      wake_.set();
    }
  }

  static void reject(rdma_cm_id& id, Refusal why) {
    const Rejected answer{.why = why};
    rdma_reject(&id, &answer, sizeof(answer));
  }

  bool accept(rdma_cm_id& id, const CmEvent& event) const {
    try {
      device_->make_queue_pair(id, *completions_, 1);
    } catch (const Error&) {
      return false;
    }
    rdma_conn_param parameters{};
    parameters.responder_resources = static_cast<std::uint8_t>(
        std::min<int>(event.responder_resources, device_->limits().max_qp_rd_atom));
    parameters.initiator_depth = static_cast<std::uint8_t>(
        std::min<int>(event.initiator_depth, device_->limits().max_qp_init_rd_atom));
    return rdma_accept(&id, &parameters) == 0;
  }

  Admissions admissions_;
  Event wake_;
  std::string endpoint_;

  EventChannel events_;
  CmId id_;
  std::shared_ptr<const Device> device_;
  CompletionQueue completions_;  ///< of every queue pair; on this side nothing is ever posted

  std::unordered_map<rdma_cm_id*, Peer> peers_;  ///< the thread's own

  std::jthread thread_;  ///< last: destroyed, and so joined, first
};

}  // namespace

std::unique_ptr<Listener> listen(const ListenOptions& options, const ChooseDevice& choose) {
  return std::make_unique<VerbsListener>(options.bind, choose);
}

}  // namespace rdmasync::rdma::verbs

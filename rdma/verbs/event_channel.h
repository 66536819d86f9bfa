#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>

#include "rdma/verbs/owned.h"

namespace rdmasync::rdma::verbs {

/// One event of rdma_cm, copied out of the library.
struct CmEvent {
  rdma_cm_event_type type{};
  int status = 0;
  rdma_cm_id* id = nullptr;  ///< of a connect request: a new one, the receiver's to own
  std::uint8_t initiator_depth = 0;
  std::uint8_t responder_resources = 0;
  std::array<std::byte, 256> data{};  ///< private data; zeros after it

  template <typename T>
  T data_as() const {
    T value;
    static_assert(sizeof(T) <= sizeof(data));
    std::memcpy(&value, data.data(), sizeof(T));
    return value;
  }
};

/// A non-blocking channel of rdma_cm events, and the ids that report to it; it must outlive them.
class EventChannel {
 public:
  /// Throws Error(kRefused), with the remedy.
  EventChannel();
  EventChannel(const EventChannel&) = delete;
  EventChannel& operator=(const EventChannel&) = delete;
  ~EventChannel();

  /// An id for reliable connections. Throws Error(kResources).
  CmId make_id() const;

  /// Binds an id to a local address, and so to the device of that address, or says why not by
  /// errno.
  static int bind(rdma_cm_id& id, sockaddr& address);

  /// Readable while next() has something to return.
  int fd() const { return channel_->fd; }
  std::optional<CmEvent> next() const;

 private:
  rdma_event_channel* channel_;
};

}  // namespace rdmasync::rdma::verbs

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "rdma/emulated/region_table.h"
#include "rdma/tcp/address.h"
#include "rdma/tcp/socket.h"
#include "rdma/tcp/wire.h"

namespace rdmasync::rdma {

/// The owner's end of one connection. It never blocks; for the listener's thread alone.
class TcpSession {
 public:
  TcpSession(Socket socket, std::shared_ptr<RegionTable> regions);

  /// The serial of the session that a token was admitted for.
  using Admit = std::function<std::optional<std::uint64_t>(const Token&)>;

  /// Moves what can be moved. False when the connection is over.
  bool receive(const Admit& admit);
  bool send();

  int fd() const { return socket_.fd(); }
  bool wants_to_receive() const { return requests_.size() < kTcpWindow; }
  bool wants_to_send() const { return !requests_.empty() || reply_left_ + payload_.left > 0; }

  /// Empty until the peer has presented its token, for which it has until hello_deadline().
  std::optional<std::uint64_t> serial() const { return serial_; }
  TcpDeadline hello_deadline() const { return hello_deadline_; }

 private:
  struct Payload {
    std::uint64_t address = 0;
    std::size_t left = 0;
    bool faulted = false;  ///< the memory is gone: zeros fill the frame that was begun
  };

  bool accept_hello(const Admit& admit);
  void take_requests();
  void refuse(TcpStatus why);
  void next_frame();
  void start_reply(std::uint64_t id, TcpStatus status, std::size_t length);
  std::ptrdiff_t send_some();

  Socket socket_;
  std::shared_ptr<RegionTable> regions_;
  std::optional<std::uint64_t> serial_;
  TcpDeadline hello_deadline_;

  std::array<std::byte, 32 * sizeof(TcpRequest)> input_{};
  std::size_t input_size_ = 0;

  std::deque<TcpRequest> requests_;  ///< the first is being answered
  std::uint64_t framed_ = 0;         ///< bytes of the first that are sent or in this frame

  TcpReply reply_{};
  std::size_t reply_left_ = 0;
  Payload payload_;
};

}  // namespace rdmasync::rdma

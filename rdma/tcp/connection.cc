#include "rdma/tcp/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "rdma/emulated/completion_queue.h"
#include "rdma/emulated/fabric.h"
#include "rdma/event.h"
#include "rdma/system.h"
#include "rdma/tcp/address.h"
#include "rdma/tcp/socket.h"
#include "rdma/tcp/wire.h"
#include "rdma/thread.h"

namespace rdmasync::rdma {
namespace {

using Clock = std::chrono::steady_clock;

/// Requests go out from post(), replies come in by a thread, straight to where they belong.
class TcpConnection final : public Connection {
 public:
  TcpConnection(Socket socket, std::chrono::milliseconds patience)
      : socket_(std::move(socket)), patience_(patience) {
    thread_ = start_thread("rdmasync-tcp-rd", [this](const std::stop_token& stop) {
      yield_to_others();
      run(stop);
    });
  }

  void post(const Read& read) override {
    if (read.length == 0) {
      completions_.push({read.id, std::nullopt});
      return;
    }
    if (auto error = check_local(read)) {
      completions_.push({read.id, std::move(error)});
      return;
    }
    const std::lock_guard lock(mutex_);
    if (lost_) {
      completions_.push({read.id, lost_});
      return;
    }
    if (reads_.empty()) {
      heard_ = Clock::now();  // the peer's time to answer begins
    }
    reads_.push_back({read});
    send_requests();
    if (!output_.empty()) {
      wake_.set();
    }
  }

  std::size_t poll(std::span<Completion> out) override { return completions_.poll(out); }
  int fd() const override { return completions_.fd(); }

 private:
  struct Pending {
    Read read;
    std::size_t announced = 0;  ///< bytes in the frames so far, this one included
  };

  // With mutex_ held.
  void send_requests() {
    while (requested_ < std::min(reads_.size(), kTcpWindow)) {
      const Read& read = reads_[requested_].read;
      const TcpRequest request{.id = first_ + requested_,
                               .address = read.remote,
                               .length = read.length,
                               .rkey = read.rkeys.first,
                               .unused = 0};
      const auto* bytes = reinterpret_cast<const std::byte*>(&request);
      output_.insert(output_.end(), bytes, bytes + sizeof(request));
      ++requested_;
    }
    if (!output_.empty()) {
      const ssize_t sent = send(socket_.fd(), output_.data(), output_.size(), MSG_NOSIGNAL);
      // An error shows at the next receive as well.
      output_.erase(output_.begin(), output_.begin() + std::max<ssize_t>(sent, 0));
    }
  }

  void run(const std::stop_token& stop) {
    const std::stop_callback wake(stop, [this] { wake_.set(); });
    try {
      while (!stop.stop_requested()) {
        wait();
        while (!stop.stop_requested() && receive()) {
        }
      }
    } catch (const Error& error) {
      give_up(error);
    }
  }

  // Until there is something to receive, to send or to stop for. Throws when the peer is silent.
  void wait() {
    std::array<pollfd, 2> ready{pollfd{socket_.fd(), POLLIN, 0}, pollfd{wake_.fd(), POLLIN, 0}};
    auto deadline = Clock::now() + patience_;
    {
      const std::lock_guard lock(mutex_);
      if (!reads_.empty()) {
        deadline = heard_ + patience_;
      }
      if (!output_.empty()) {
        ready[0].events |= POLLOUT;
      }
    }
    ::poll(ready.data(), ready.size(), milliseconds_until(deadline));
    if (ready[1].revents != 0) {
      wake_.clear();
    }
    const std::lock_guard lock(mutex_);
    if ((ready[0].revents & POLLOUT) != 0) {
      send_requests();
    }
    if (ready[0].revents == 0 && !reads_.empty() && Clock::now() >= heard_ + patience_) {
      throw Error(Errc::kPeerLost, "the peer has sent nothing for " +
                                       std::to_string(patience_.count()) +
                                       " ms: it hangs, or the network to it is gone");
    }
  }

  // Once; false when nothing more is there. Receives the rest of a frame and the next one's header.
  bool receive() {
    std::array<iovec, 2> parts{
        iovec{into_, into_left_},
        iovec{reinterpret_cast<std::byte*>(&reply_) + reply_size_, sizeof(reply_) - reply_size_}};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    const ssize_t got = recvmsg(socket_.fd(), &message, 0);
    if (got < 0 && would_block(errno)) {
      return false;
    }
    if (got <= 0) {
      throw Error(Errc::kPeerLost, got == 0 ? "the peer has closed the connection"
                                            : with_errno("the connection to the peer broke"));
    }
    const auto of_payload = std::min(static_cast<std::size_t>(got), into_left_);
    into_ += of_payload;
    into_left_ -= of_payload;
    reply_size_ += static_cast<std::size_t>(got) - of_payload;

    const std::lock_guard lock(mutex_);
    heard_ = Clock::now();
    if (reply_size_ == sizeof(reply_)) {
      reply_size_ = 0;
      take_reply();
    }
    return true;
  }

  // With mutex_ held.
  void take_reply() {
    if (requested_ == 0 || reply_.id != first_) {
      throw Error(Errc::kProtocol, "the peer answers a read that nobody asked for");
    }
    Pending& pending = reads_.front();
    const std::size_t missing = pending.read.length - pending.announced;
    if (reply_.status == TcpStatus::kData && reply_.length <= missing) {
      into_ = pending.read.into + pending.announced;
      into_left_ = reply_.length;
      pending.announced += reply_.length;
    } else if (reply_.status == TcpStatus::kDone && missing == 0) {
      complete_first(std::nullopt);
    } else if (reply_.status == TcpStatus::kNoAccess) {
      complete_first(Error(Errc::kAccess, "read of memory that the peer has not registered"));
    } else {
      throw Error(Errc::kProtocol, "the peer answers a read with something else");
    }
  }

  // With mutex_ held.
  void complete_first(std::optional<Error> error) {
    completions_.push({reads_.front().read.id, std::move(error)});
    reads_.pop_front();
    ++first_;
    --requested_;
    send_requests();
  }

  void give_up(const Error& why) {
    const std::lock_guard lock(mutex_);
    lost_ = why;
    for (const Pending& pending : reads_) {
      completions_.push({pending.read.id, why});
    }
    reads_.clear();
  }

  const Socket socket_;
  const std::chrono::milliseconds patience_;
  CompletionQueue completions_;
  Event wake_;

  std::mutex mutex_;
  std::deque<Pending> reads_;      ///< not complete; in the order of their replies
  std::uint64_t first_ = 0;        ///< id of the first of them on the wire
  std::size_t requested_ = 0;      ///< how many of them the peer was asked for
  std::vector<std::byte> output_;  ///< requests that did not fit into the socket
  Clock::time_point heard_;        ///< when the peer last sent something
  std::optional<Error> lost_;

  // The thread's own: where the next bytes go, and the header after them.
  std::byte* into_ = nullptr;
  std::size_t into_left_ = 0;
  TcpReply reply_{};
  std::size_t reply_size_ = 0;

  std::jthread thread_;  ///< last: destroyed, and so joined, first
};

[[noreturn]] void refuse(TcpStatus status) {
  switch (status) {
    case TcpStatus::kUnknownToken:
      throw Error(Errc::kRefused, "the peer does not know this session's token");
    case TcpStatus::kWrongVersion:
      throw Error(Errc::kRefused,
                  "the peer speaks another version of the tcp fabric: use the same build at both "
                  "ends");
    default:
      throw Error(Errc::kProtocol, "the peer does not speak the protocol of the tcp fabric");
  }
}

TcpReply greet(const Socket& socket, const Token& token, TcpDeadline deadline) {
  const TcpHello hello{.token = token};
  // The send buffer of a new connection takes it whole.
  send(socket.fd(), &hello, sizeof(hello), MSG_NOSIGNAL);
  TcpReply reply{};
  for (std::size_t size = 0; size < sizeof(reply);) {
    pollfd readable{socket.fd(), POLLIN, 0};
    const int left = milliseconds_until(deadline);
    if (left == 0) {
      throw Error(Errc::kRefused, "the peer accepts connections of the tcp fabric but is silent");
    }
    if (::poll(&readable, 1, left) <= 0) {
      continue;
    }
    const ssize_t got =
        recv(socket.fd(), reinterpret_cast<std::byte*>(&reply) + size, sizeof(reply) - size, 0);
    if (got == 0 || (got < 0 && !would_block(errno))) {
      throw Error(Errc::kRefused, "the peer closed the connection of the tcp fabric at once");
    }
    size += static_cast<std::size_t>(std::max<ssize_t>(got, 0));
  }
  return reply;
}

}  // namespace

std::unique_ptr<Connection> connect_tcp(const ConnectOptions& options) {
  const std::chrono::milliseconds patience{options.peer_timeout_ms};
  const TcpDeadline deadline = Clock::now() + patience;
  Endpoint endpoint = Endpoint::parse(options.endpoint);
  if (endpoint.host.empty()) {
    endpoint.host = options.host;
  }
  Socket socket = dial_tcp(endpoint, deadline);
  socket.set(IPPROTO_TCP, TCP_NODELAY, 1);
  const TcpReply reply = greet(socket, options.token, deadline);
  if (reply.status != TcpStatus::kWelcome) {
    refuse(reply.status);
  }
  return std::make_unique<TcpConnection>(std::move(socket), patience);
}

}  // namespace rdmasync::rdma

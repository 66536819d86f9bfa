#include "rdma/tcp/session.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace rdmasync::rdma {
namespace {

constexpr std::size_t kFrame = std::size_t{256} << 10;
constexpr std::size_t kFairShare = std::size_t{1} << 20;  // then the other connections' turn
constexpr std::chrono::seconds kHelloTime{5};
constexpr std::array<std::byte, std::size_t{64} << 10> kZeros{};

}  // namespace

TcpSession::TcpSession(Socket socket, std::shared_ptr<RegionTable> regions)
    : socket_(std::move(socket)),
      regions_(std::move(regions)),
      hello_deadline_(std::chrono::steady_clock::now() + kHelloTime) {
  socket_.set(IPPROTO_TCP, TCP_NODELAY, 1);
  // A reader that is idle and gone without a word. No TCP_USER_TIMEOUT: it would also end a
  // connection whose reader is alive but slow, which is the owner's decision, by revoke().
  socket_.set(SOL_SOCKET, SO_KEEPALIVE, 1);
  socket_.set(IPPROTO_TCP, TCP_KEEPIDLE, 30);
  socket_.set(IPPROTO_TCP, TCP_KEEPINTVL, 10);
  socket_.set(IPPROTO_TCP, TCP_KEEPCNT, 3);
}

bool TcpSession::receive(const Admit& admit) {
  const ssize_t got =
      recv(socket_.fd(), input_.data() + input_size_, input_.size() - input_size_, 0);
  if (got <= 0) {
    return got < 0 && would_block(errno);
  }
  input_size_ += static_cast<std::size_t>(got);
  if (!serial_ && input_size_ >= sizeof(TcpHello) && !accept_hello(admit)) {
    return false;
  }
  if (serial_) {
    take_requests();
  }
  return true;
}

bool TcpSession::accept_hello(const Admit& admit) {
  TcpHello hello;
  std::memcpy(&hello, input_.data(), sizeof(hello));
  std::memmove(input_.data(), input_.data() + sizeof(hello), input_size_ -= sizeof(hello));
  if (hello.magic != TcpHello::kMagic) {
    return false;
  }
  if (hello.version != TcpHello::kVersion) {
    refuse(TcpStatus::kWrongVersion);
    return false;
  }
  serial_ = admit(hello.token);
  if (!serial_) {
    refuse(TcpStatus::kUnknownToken);
    return false;
  }
  start_reply(0, TcpStatus::kWelcome, 0);
  return true;
}

void TcpSession::refuse(TcpStatus why) {
  const TcpReply reply{.id = 0, .status = why, .length = 0};
  ::send(socket_.fd(), &reply, sizeof(reply), MSG_NOSIGNAL);
}

void TcpSession::take_requests() {
  const std::size_t size = input_size_ - input_size_ % sizeof(TcpRequest);
  for (std::size_t at = 0; at < size; at += sizeof(TcpRequest)) {
    std::memcpy(&requests_.emplace_back(), input_.data() + at, sizeof(TcpRequest));
  }
  std::memmove(input_.data(), input_.data() + size, input_size_ -= size);
}

bool TcpSession::send() {
  for (std::size_t sent = 0; sent < kFairShare;) {
    if (reply_left_ + payload_.left == 0) {
      if (requests_.empty()) {
        return true;
      }
      next_frame();
    }
    const std::ptrdiff_t some = send_some();
    if (some >= 0) {
      sent += static_cast<std::size_t>(some);
    } else if (errno == EFAULT) {
      payload_.faulted = true;
    } else {
      return would_block(errno);
    }
  }
  return true;
}

void TcpSession::next_frame() {
  const TcpRequest request = requests_.front();
  // Checked before each frame and after the last one, so that what a deregistered region's memory
  // has become since is never delivered as valid.
  const bool allowed =
      !payload_.faulted && regions_->allows(request.rkey, request.address, request.length);
  if (allowed && framed_ < request.length) {
    const auto length = std::min<std::uint64_t>(kFrame, request.length - framed_);
    start_reply(request.id, TcpStatus::kData, length);
    payload_.address = request.address + framed_;
    framed_ += length;
    return;
  }
  start_reply(request.id, allowed ? TcpStatus::kDone : TcpStatus::kNoAccess, 0);
  payload_.faulted = false;
  framed_ = 0;
  requests_.pop_front();
}

void TcpSession::start_reply(std::uint64_t id, TcpStatus status, std::size_t length) {
  reply_ = {.id = id, .status = status, .length = static_cast<std::uint32_t>(length)};
  reply_left_ = sizeof(reply_);
  payload_.left = length;
}

std::ptrdiff_t TcpSession::send_some() {
  iovec header{reinterpret_cast<std::byte*>(&reply_) + (sizeof(reply_) - reply_left_), reply_left_};
  // NOLINTNEXTLINE(performance-no-int-to-ptr): addresses come from the peer, checked
  iovec payload{reinterpret_cast<void*>(payload_.address), payload_.left};
  if (payload_.faulted) {
    payload = {const_cast<std::byte*>(kZeros.data()), std::min(payload_.left, kZeros.size())};
  }
  std::array<iovec, 2> parts{header, payload};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  // More follows any data: at least its kDone, with which it can share a packet.
  const int flags = MSG_NOSIGNAL | (payload_.left > 0 ? MSG_MORE : 0);
  // Not sendmsg(): the owner of the memory may write to it or unmap it meanwhile, by contract, and
  // tools that watch sendmsg() would call that a race.
  const auto sent = static_cast<std::ptrdiff_t>(syscall(SYS_sendmsg, fd(), &message, flags));
  if (sent > 0) {
    const std::size_t of_header = std::min<std::size_t>(sent, reply_left_);
    const std::size_t of_payload = sent - of_header;
    reply_left_ -= of_header;
    payload_.left -= of_payload;
    payload_.address += of_payload;
  }
  return sent;
}

}  // namespace rdmasync::rdma

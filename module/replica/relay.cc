#include "module/replica/relay.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "rdma/thread.h"
#include "rdmasync/error.h"

namespace rdmasync::replica {

namespace {

constexpr std::chrono::seconds kTimeout{10};
// As often as the server itself does; its master drops a replica that is silent for repl-timeout.
constexpr std::chrono::seconds kHeardEvery{1};
constexpr int kLookAroundMs = 100;
constexpr std::size_t kReadSize = 256U << 10;

}  // namespace

Relay::Relay(const MasterAddress& master, const Start& start, std::stop_token stop)
    : link_(master, kTimeout, std::move(stop)),
      limit_(start.limit),
      received_(start.offset),
      applied_(start.offset) {
  link_.command({"REPLCONF", "listening-port", std::to_string(start.listening_port)});
  link_.command({"REPLCONF", "capa", "eof", "capa", "psync2"});
  link_.send({"PSYNC", start.replication_id, std::to_string(start.offset + 1)});
  await_continue();
  received_ += static_cast<std::int64_t>(held_.size());
  thread_ = rdma::start_thread("rdmasync-relay", [this](const std::stop_token& own) { run(own); });
}

void Relay::await_continue() {
  const auto deadline = std::chrono::steady_clock::now() + kTimeout;
  std::size_t end = 0;
  while ((end = held_.find('\n')) == std::string::npos) {
    link_.wait_readable(deadline);
    std::array<char, 4096> bytes;
    const auto got = ::recv(link_.fd(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got == 0) {
      throw Error(Errc::kPeerLost, "the master closed the relay's connection");
    }
    if (got > 0) {
      held_.append(bytes.data(), static_cast<std::size_t>(got));
    }
  }
  // Anything else, an empty line included, says that it prepares a full sync instead.
  if (held_.rfind("+CONTINUE", 0) != 0) {
    throw Error(Errc::kRefused,
                "the master's backlog did not last from the cut to the relay: raise its "
                "repl-backlog-size");
  }
  held_.erase(0, end + 1);
}

void Relay::run(const std::stop_token& stop) {
  try {
    std::vector<char> bytes(kReadSize);
    auto acknowledge_at = std::chrono::steady_clock::now();
    while (!stop.stop_requested()) {
      if (std::chrono::steady_clock::now() >= acknowledge_at) {
        acknowledge();
        acknowledge_at = std::chrono::steady_clock::now() + kHeardEvery;
      }
      pollfd ready{link_.fd(), POLLIN, 0};
      if (::poll(&ready, 1, kLookAroundMs) <= 0) {
        continue;
      }
      const auto got = ::recv(link_.fd(), bytes.data(), bytes.size(), MSG_DONTWAIT);
      if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
        throw Error(Errc::kPeerLost,
                    "lost the master while its stream was relayed; if its log tells of output "
                    "buffer limits, it is written faster than a replica reads: raise its "
                    "client-output-buffer-limit for replicas");
      }
      if (got < 0) {
        continue;
      }
      const std::lock_guard lock(mutex_);
      if (held_.size() + static_cast<std::size_t>(got) > limit_) {
        throw Error(Errc::kResources,
                    "more was written during the load than rdmasync.relay-buffer holds: raise it");
      }
      held_.append(bytes.data(), static_cast<std::size_t>(got));
      received_ += got;
      arrived_.notify_one();
    }
  } catch (...) {
    const std::lock_guard lock(mutex_);
    ended_ = std::current_exception();
    arrived_.notify_one();
  }
}

void Relay::acknowledge() {
  link_.send({"REPLCONF", "ACK", std::to_string(applied_)});
}

std::string Relay::take() {
  const std::lock_guard lock(mutex_);
  if (held_.empty() && ended_) {
    std::rethrow_exception(ended_);
  }
  return std::exchange(held_, {});
}

bool Relay::ended() {
  const std::lock_guard lock(mutex_);
  return ended_ != nullptr;
}

void Relay::wait(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  arrived_.wait_for(lock, time, [this] { return !held_.empty() || ended_; });
}

}  // namespace rdmasync::replica

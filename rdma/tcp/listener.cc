#include "rdma/tcp/listener.h"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "rdma/admissions.h"
#include "rdma/event.h"
#include "rdma/system.h"
#include "rdma/tcp/address.h"
#include "rdma/tcp/session.h"
#include "rdma/tcp/socket.h"
#include "rdma/thread.h"
#include "rdma/unique_fd.h"

namespace rdmasync::rdma {
namespace {

// Strangers that have not said hello hold file descriptors of the host process: so many at most.
constexpr std::size_t kStrangers = 64;

constexpr int kTickMs = 100;  // while there are strangers, or no descriptors left to accept with

/// The sockets that the listener's thread waits for.
class Epoll {
 public:
  Epoll() : fd_(epoll_create1(EPOLL_CLOEXEC)) {
    if (!fd_) {
      throw Error(Errc::kResources, with_errno("cannot create an epoll set"));
    }
  }

  /// False if the kernel has no memory for it.
  bool watch(int fd, std::uint32_t events) const {
    epoll_event event = event_of(fd, events);
    return epoll_ctl(fd_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
  }
  void change(int fd, std::uint32_t events) const {
    epoll_event event = event_of(fd, events);
    epoll_ctl(fd_.get(), EPOLL_CTL_MOD, fd, &event);
  }

  std::span<const epoll_event> wait(int timeout_ms) {
    const int count =
        epoll_wait(fd_.get(), events_.data(), static_cast<int>(events_.size()), timeout_ms);
    return {events_.data(), static_cast<std::size_t>(std::max(count, 0))};
  }

 private:
  static epoll_event event_of(int fd, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    return event;
  }

  UniqueFd fd_;
  std::array<epoll_event, 64> events_{};
};

/// One thread serves every connection.
class TcpListener final : public Listener {
 public:
  TcpListener(TcpBound bound, std::shared_ptr<RegionTable> regions)
      : endpoint_(bound.endpoint.print()),
        regions_(std::move(regions)),
        socket_(std::move(bound.socket)) {
    if (!epoll_.watch(socket_.fd(), EPOLLIN) || !epoll_.watch(wake_.fd(), EPOLLIN)) {
      throw Error(Errc::kResources, with_errno("cannot watch a listening socket"));
    }
    thread_ = start_thread("rdmasync-tcp", [this](const std::stop_token& stop) { serve(stop); });
  }

  std::string endpoint() const override { return endpoint_; }

  void admit(const Token& token) override { admissions_.admit(token); }

  void revoke(const Token& token) override {
    admissions_.revoke(token);
    wake_.set();
  }

 private:
  struct Peer {
    TcpSession session;
    std::uint32_t events = EPOLLIN;
  };

  void serve(const std::stop_token& stop) {
    const std::stop_callback wake(stop, [this] { wake_.set(); });
    while (!stop.stop_requested()) {
      const bool ticking = !accepting_ || strangers() > 0;
      for (const epoll_event& event : epoll_.wait(ticking ? kTickMs : -1)) {
        if (event.data.fd == wake_.fd()) {
          wake_.clear();
          drop_revoked();
        } else if (event.data.fd == socket_.fd()) {
          accept_all();
        } else {
          serve_peer(event.data.fd, event.events);
        }
      }
      if (ticking) {
        drop_late_strangers();
        accept_again();
      }
    }
  }

  void accept_all() {
    while (strangers() < kStrangers) {
      Socket socket = socket_.accept();
      if (!socket) {
        if (errno == EAGAIN || errno == EWOULDBLOCK) {
          return;
        }
        if (errno == ECONNABORTED || errno == EINTR) {
          continue;
        }
        break;
      }
      const int fd = socket.fd();
      if (epoll_.watch(fd, EPOLLIN)) {
        peers_.emplace(fd, Peer{TcpSession(std::move(socket), regions_)});
      }
    }
    accepting_ = false;  // else epoll would report the waiting connections for ever
    epoll_.change(socket_.fd(), 0);
  }

  void accept_again() {
    if (!accepting_ && strangers() < kStrangers) {
      accepting_ = true;
      epoll_.change(socket_.fd(), EPOLLIN);
    }
  }

  void serve_peer(int fd, std::uint32_t ready) {
    const auto found = peers_.find(fd);
    if (found == peers_.end()) {
      return;
    }
    auto& [session, events] = found->second;
    const auto admit = [this](const Token& token) { return admissions_.find(token); };
    const bool lives = (ready & (EPOLLERR | EPOLLHUP)) == 0 &&
                       ((ready & EPOLLIN) == 0 || session.receive(admit)) && session.send();
    if (!lives) {
      peers_.erase(found);
      return;
    }
    const std::uint32_t wanted = (session.wants_to_receive() ? std::uint32_t{EPOLLIN} : 0) |
                                 (session.wants_to_send() ? std::uint32_t{EPOLLOUT} : 0);
    if (wanted != events) {
      events = wanted;
      epoll_.change(fd, wanted);
    }
  }

  void drop_revoked() {
    std::erase_if(peers_, [this](const auto& each) {
      const auto serial = each.second.session.serial();
      return serial && !admissions_.stands(*serial);
    });
  }

  void drop_late_strangers() {
    const auto now = std::chrono::steady_clock::now();
    std::erase_if(peers_, [&](const auto& each) {
      return !each.second.session.serial() && each.second.session.hello_deadline() <= now;
    });
  }

  std::size_t strangers() const {
    return static_cast<std::size_t>(
        std::count_if(peers_.begin(), peers_.end(),
                      [](const auto& each) { return !each.second.session.serial(); }));
  }

  std::string endpoint_;
  std::shared_ptr<RegionTable> regions_;
  Admissions admissions_;
  Event wake_;

  // The thread's own.
  Epoll epoll_;
  Socket socket_;
  bool accepting_ = true;
  std::unordered_map<int, Peer> peers_;

  std::jthread thread_;  ///< last: destroyed, and so joined, first
};

}  // namespace

std::unique_ptr<Listener> listen_tcp(const ListenOptions& options,
                                     std::shared_ptr<RegionTable> regions) {
  return std::make_unique<TcpListener>(bind_tcp(options.bind), std::move(regions));
}

}  // namespace rdmasync::rdma

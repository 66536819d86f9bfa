#include "rdma/cma/connection.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

#include "rdma/cma/board.h"
#include "rdma/cma/peer.h"
#include "rdma/emulated/completion_queue.h"
#include "rdma/emulated/fabric.h"
#include "rdma/system.h"
#include "rdma/thread.h"

namespace rdmasync::rdma {
namespace {

// What a thread takes at a time: large enough to forget that it does, small enough to stay in a
// core's cache from the page fault to the copy; and, cut where these begin, a huge page, so that
// one thread faults it in.
constexpr std::size_t kPiece = std::size_t{2} << 20;

// A kernel that does not preempt itself keeps a processor for as long as one system call takes:
// copying 2 MiB at once, it made others wait up to 5 ms where page faults are slow.
constexpr std::size_t kStep = std::size_t{128} << 10;

// Up to here waking a thread costs more than the copy.
constexpr std::size_t kInline = std::size_t{64} << 10;

// Reading into fresh memory is page faults for the most part, and two threads take nearly twice as
// many a second as one.
constexpr std::size_t kThreads = 2;

class CmaConnection final : public Connection {
 public:
  CmaConnection(const CmaEndpoint& endpoint, const Token& token) : peer_(endpoint, token) {
    for (std::jthread& thread : threads_) {
      thread = start_thread("rdmasync-cma", [this](const std::stop_token& stop) {
        yield_to_others();
        work(stop);
      });
    }
  }

  void post(const Read& read) override {
    if (read.length == 0) {
      completions_.push({read.id, std::nullopt});
    } else if (auto error = check_local(read)) {
      completions_.push({read.id, std::move(error)});
    } else if (read.length <= kInline) {
      completions_.push({read.id, copy(read, 0, read.length)});
    } else {
      const std::lock_guard lock(mutex_);
      queue_.push_back(std::make_shared<Job>(read));
      work_to_do_.notify_all();
    }
  }

  std::size_t poll(std::span<Completion> out) override { return completions_.poll(out); }
  int fd() const override { return completions_.fd(); }

 private:
  /// A read in pieces; it leaves the queue when its last piece is taken.
  struct Job {
    explicit Job(const Read& whole) : read(whole) {}
    Read read;
    std::size_t taken = 0;   ///< bytes that a thread has copied or is copying
    std::size_t copied = 0;  ///< bytes done with, in whatever way
    std::optional<Error> error;
  };

  void work(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (work_to_do_.wait(lock, stop, [this] { return !queue_.empty(); })) {
      if (stop.stop_requested()) {
        return;
      }
      const std::shared_ptr<Job> job = queue_.front();
      const std::size_t offset = job->taken;
      const std::size_t length = piece(job->read, offset);
      job->taken += length;
      if (job->taken == job->read.length) {
        queue_.pop_front();
      }
      const bool failed = job->error.has_value();
      lock.unlock();
      std::optional<Error> error;
      if (!failed) {
        // By the thread that copies, just before it does: the zeroed pages are in its cache then.
        fault_in({job->read.into + offset, length});
        error = copy_in_steps(job->read, offset, length);
      }
      lock.lock();
      job->copied += length;
      if (error && !job->error) {
        job->error = std::move(error);
      }
      if (job->copied == job->read.length) {
        completions_.push({job->read.id, std::move(job->error)});
      }
    }
  }

  static std::size_t piece(const Read& read, std::size_t offset) {
    const auto into = reinterpret_cast<std::uintptr_t>(read.into + offset);
    return std::min(kPiece - into % kPiece, read.length - offset);
  }

  std::optional<Error> copy_in_steps(const Read& read, std::size_t offset, std::size_t length) {
    for (std::size_t done = 0; done < length; done += kStep) {
      const std::size_t step = std::min(kStep, length - done);
      if (auto error = copy(read, offset + done, step)) {
        return error;
      }
    }
    return std::nullopt;
  }

  std::optional<Error> copy(const Read& read, std::size_t offset, std::size_t length) {
    {
      const std::lock_guard lock(lost_mutex_);
      if (lost_) {
        return lost_;
      }
    }
    auto error = peer_.read(read.into + offset, read.remote + offset, read.rkeys.first, length);
    if (error && error->code() == Errc::kPeerLost) {
      const std::lock_guard lock(lost_mutex_);
      lost_ = error;
    }
    return error;
  }

  const CmaPeer peer_;
  CompletionQueue completions_;
  std::mutex lost_mutex_;
  std::optional<Error> lost_;  ///< the end of the session, once noticed
  std::mutex mutex_;
  std::condition_variable_any work_to_do_;
  std::deque<std::shared_ptr<Job>> queue_;
  std::array<std::jthread, kThreads> threads_;  ///< last: destroyed, and so joined, first
};

}  // namespace

std::unique_ptr<Connection> connect_cma(const ConnectOptions& options) {
  const CmaEndpoint endpoint = CmaEndpoint::parse(options.endpoint);
  if (endpoint.host != cma_host()) {
    throw Error(Errc::kRefused,
                "the peer runs on another host or in another pid namespace, which the cma fabric "
                "cannot read");
  }
  return std::make_unique<CmaConnection>(endpoint, options.token);
}

}  // namespace rdmasync::rdma

#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include "rdma/unique_fd.h"

/// The little that the fabrics ask of the operating system in more than one place.
namespace rdmasync::rdma {

/// "<what>: <text of errno>", with errno as it is now.
std::string with_errno(std::string_view what);

/// Starts a thread that receives no signals (they are the host process's) and is joined by its
/// handle. `name` shows in top and gdb; at most 15 characters. Throws Error(kResources).
std::jthread start_thread(const char* name, std::function<void(const std::stop_token&)> body);

/// For a thread that moves bytes as fast as it can: where processors are short, it leaves them to
/// threads that answer somebody. The calling thread, for its life.
void yield_to_others() noexcept;

/// Has the fresh pages among those of the bytes come at once, so that writing there takes no page
/// faults; what is there stays. A kernel before 5.14 leaves it as it is. Any thread.
void fault_in(std::span<std::byte> bytes) noexcept;

/// A file descriptor that is readable from set() until clear(). Any thread.
class Event {
 public:
  /// Throws Error(kResources).
  Event();
  int fd() const { return fd_.get(); }
  void set() const noexcept;
  void clear() const noexcept;

 private:
  UniqueFd fd_;
};

}  // namespace rdmasync::rdma

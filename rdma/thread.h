#pragma once

#include <functional>
#include <stop_token>
#include <thread>

namespace rdmasync::rdma {

/// Starts a thread that receives no signals (they are the host process's) and is joined by its
/// handle. `name` shows in top and gdb; at most 15 characters. Throws Error(kResources).
std::jthread start_thread(const char* name, std::function<void(const std::stop_token&)> body);

/// For a thread that moves bytes as fast as it can: where processors are short, it leaves them to
/// threads that answer somebody. The calling thread, for its life.
void yield_to_others() noexcept;

}  // namespace rdmasync::rdma

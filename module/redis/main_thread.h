#pragma once

#include <functional>
#include <future>
#include <memory>
#include <utility>

/// The server's main thread, for code on threads of the module's own.
namespace rdmasync::redis {

/// The calling thread is the main thread. By set_module_context().
void remember_main_thread();

/// Ends the process, with a line in the log, on any other thread than the main one: what is called
/// here is not made for it. Does nothing in release builds, and before remember_main_thread().
void check_main_thread();

/// Queues a task for the main thread, outside of every command. Never blocks; tasks run in order.
/// Any thread.
void post_to_main(std::function<void()> task);

/// The same, and the future has the task's result or its exception. A task that was never run
/// (the server is going down) leaves the future without one for ever: wait with a way out.
template <typename Task>
auto run_on_main(Task task) -> std::future<decltype(task())> {
  auto packaged = std::make_shared<std::packaged_task<decltype(task())()>>(std::move(task));
  auto future = packaged->get_future();
  post_to_main([packaged] { (*packaged)(); });
  return future;
}

}  // namespace rdmasync::redis

#include "module/redis/main_thread.h"

#include <cstdlib>
#include <thread>

#include "module/redis/guard.h"

namespace rdmasync::redis {

namespace {

std::thread::id g_main_thread;

}  // namespace

void remember_main_thread() {
  g_main_thread = std::this_thread::get_id();
}

void check_main_thread() {
#ifdef RDMASYNC_CHECKS
  if (g_main_thread == std::thread::id{} || g_main_thread == std::this_thread::get_id()) {
    return;
  }
  if (Log != nullptr) {
    log_warning("rdmasync: a thread of the module did what is the main thread's alone to do");
  }
  std::abort();
#endif
}

void post_to_main(std::function<void()> task) {
  auto owned = std::make_unique<std::function<void()>>(std::move(task));
  EventLoopAddOneShot(
      [](void* data) {
        const std::unique_ptr<std::function<void()>> mine{
            static_cast<std::function<void()>*>(data)};
        event_guard("task on the main thread", *mine);
      },
      owned.release());
}

}  // namespace rdmasync::redis

#include "module/redis/main_thread.h"

#include "module/redis/guard.h"

namespace rdmasync::redis {

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

#include "module/redis/main_thread.h"

#include <gtest/gtest.h>

#include <thread>

namespace rdmasync::redis {
namespace {

TEST(MainThreadDeathTest, NoOtherThreadPasses) {
#ifndef RDMASYNC_CHECKS
  GTEST_SKIP() << "a release build";
#endif
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        std::thread([] { check_main_thread(); }).join();  // nobody has said which it is
        remember_main_thread();
        check_main_thread();
        std::exit(0);
      },
      testing::ExitedWithCode(0), "");
  EXPECT_DEATH(
      {
        remember_main_thread();
        std::thread([] { check_main_thread(); }).join();
      },
      "");
}

}  // namespace
}  // namespace rdmasync::redis

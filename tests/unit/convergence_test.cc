#include "module/master/convergence.h"

#include <gtest/gtest.h>

namespace rdmasync::master {
namespace {

constexpr int kMaxRounds = 3;
constexpr std::size_t kKeys = 1000;
constexpr Convergence::Clock::time_point kStart{};

TEST(ConvergenceTest, RoundsMayHelpAtFirst) {
  Convergence convergence(kMaxRounds);
  for (int round = 1; round < kMaxRounds; ++round) {
    EXPECT_FALSE(convergence.put_off(kKeys, kStart));
    EXPECT_FALSE(convergence.failed());
    EXPECT_FALSE(convergence.ends_by(0, kStart + Convergence::kLongestBurst));
  }
}

TEST(ConvergenceTest, TellsOnceThatTheyDoNot) {
  Convergence convergence(1);
  EXPECT_TRUE(convergence.put_off(kKeys, kStart));
  EXPECT_FALSE(convergence.put_off(kKeys, kStart));
  EXPECT_TRUE(convergence.failed());
}

class BurstTest : public ::testing::Test {
 protected:
  BurstTest() {
    convergence_.put_off(kKeys, kStart);
    convergence_.put_off(10 * kKeys, kStart);
    convergence_.put_off(10 * kKeys, kStart);
  }

  Convergence convergence_{kMaxRounds};
};

TEST_F(BurstTest, TakesWhatIsAboutAsLittleAsAnyRoundLeft) {
  EXPECT_TRUE(convergence_.ends_by(kKeys, kStart));
  EXPECT_TRUE(convergence_.ends_by(kKeys * 3 / 2, kStart));
  EXPECT_FALSE(convergence_.ends_by(kKeys * 2, kStart));
}

TEST_F(BurstTest, IsWaitedOutForAsManyRoundsAgain) {
  for (int round = 0; round < kMaxRounds; ++round) {
    EXPECT_FALSE(convergence_.ends_by(10 * kKeys, kStart));
    convergence_.put_off(10 * kKeys, kStart);
  }
  EXPECT_TRUE(convergence_.ends_by(10 * kKeys, kStart));
}

/// Rounds may be slow: there is little time for each where writes are fast.
TEST_F(BurstTest, IsNotWaitedOutForLong) {
  constexpr std::chrono::milliseconds kMoment{1};
  const auto end = kStart + Convergence::kLongestBurst;
  EXPECT_FALSE(convergence_.ends_by(10 * kKeys, end - kMoment));
  EXPECT_TRUE(convergence_.ends_by(10 * kKeys, end));
}

}  // namespace
}  // namespace rdmasync::master

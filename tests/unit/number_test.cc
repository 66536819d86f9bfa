#include "rdmasync/number.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace rdmasync {
namespace {

TEST(Number, IsTheWholeText) {
  EXPECT_EQ(to_number<int>("-17"), -17);
  EXPECT_EQ(to_number<int>("ff", 16), 255);
  for (const char* text : {"", " 1", "1 ", "1.0", "+1", "0x1", "one"}) {
    EXPECT_EQ(to_number<int>(text), std::nullopt) << text;
  }
}

TEST(Number, Fits) {
  EXPECT_EQ(to_number<std::uint8_t>("255"), 255);
  EXPECT_EQ(to_number<std::uint8_t>("256"), std::nullopt);
  EXPECT_EQ(to_number<std::uint8_t>("-1"), std::nullopt);
}

TEST(Double, IsTheWholeText) {
  EXPECT_EQ(to_double("-3"), -3.0);
  EXPECT_EQ(to_double("0.10000000000000001"), 0.1);
  EXPECT_EQ(to_double("1e+300"), 1e300);
  EXPECT_EQ(to_double("4.9406564584124654e-324"), std::numeric_limits<double>::denorm_min());
  EXPECT_EQ(to_double("inf"), std::numeric_limits<double>::infinity());
  EXPECT_EQ(to_double("-inf"), -std::numeric_limits<double>::infinity());
  for (const char* text : {"", " 1", "1 ", "1,5", "+1", "1e", "infinite", "one"}) {
    EXPECT_EQ(to_double(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace rdmasync

#include "module/log/list_part.h"

#include <gtest/gtest.h>

#include "rdmasync/error.h"

namespace rdmasync::log {
namespace {

using Place = ListElement::Place;

std::string describe(std::string_view bytes) {
  redis::rdb::Reader from(bytes);
  const ListHead head = take_list_head(from);
  std::string out = (head.begins ? "begins " : "") + std::string("-") +
                    std::to_string(head.from_left) + " -" + std::to_string(head.from_right);
  while (const auto element = take_list_element(from)) {
    out += element->place == Place::kLeftEnd    ? " left "
           : element->place == Place::kRightEnd ? " right "
                                                : " [" + std::to_string(element->index) + "] ";
    out += element->value;
  }
  return out;
}

std::string part() {
  std::string bytes = list_head({.begins = false, .from_left = 7, .from_right = 1ULL << 40});
  append_list_element(bytes, {.place = Place::kLeftEnd, .value = "a"});
  append_list_element(bytes, {.place = Place::kRightEnd, .value = ""});
  append_list_element(bytes, {.place = Place::kInPlace, .index = 300, .value = "b"});
  append_list_element(bytes, {.place = Place::kRightEnd, .value = std::string(200, 'x')});
  return bytes;
}

TEST(ListPart, SaysWhatItWasMadeOf) {
  EXPECT_EQ(describe(list_head({.begins = true})), "begins -0 -0");
  EXPECT_EQ(describe(part()),
            "-7 -1099511627776 left a right  [300] b right " + std::string(200, 'x'));
}

TEST(ListPart, CutAnywhere) {
  const std::string all = describe(part());
  for (std::size_t size = 0; size < part().size(); size++) {
    const std::string cut = part().substr(0, size);  // what follows it is not ours to read
    try {
      EXPECT_TRUE(all.starts_with(describe(cut))) << size;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Errc::kProtocol);
    }
  }
}

TEST(ListPart, EveryByteChanged) {
  for (std::size_t at = 0; at < part().size(); at++) {
    for (int value = 0; value < 256; value++) {
      std::string bytes = part();
      bytes[at] = static_cast<char>(value);
      try {
        describe(bytes);
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), Errc::kProtocol);
      }
    }
  }
}

}  // namespace
}  // namespace rdmasync::log

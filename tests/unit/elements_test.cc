#include "module/log/elements.h"

#include <gtest/gtest.h>

#include <vector>

#include "rdmasync/error.h"

namespace rdmasync::log {
namespace {

using log_format::Part;

std::string describe(Part part, std::string_view bytes) {
  std::string out;
  Elements elements(part, bytes);
  while (const auto element = elements.next()) {
    out += std::string(element->name) +
           (element->gone ? " is gone" : "=" + std::string(element->value));
    if (element->expire_at_ms != log_format::kNoExpiry) {
      out += " until " + std::to_string(element->expire_at_ms);
    }
    out += "; ";
  }
  return out;
}

std::string hash() {
  std::string bytes;
  append_element(bytes, Part::kHash, {.name = "a", .value = "1"});
  append_element(bytes, Part::kHash, {.name = "b", .gone = true});
  append_element(bytes, Part::kHash, {.name = "", .value = "", .expire_at_ms = 1'700'000'000'123});
  append_element(bytes, Part::kHash, {.name = "c", .value = std::string(300, 'x')});
  return bytes;
}

TEST(Elements, OfAHash) {
  EXPECT_EQ(describe(Part::kHash, hash()),
            "a=1; b is gone; = until 1700000000123; c=" + std::string(300, 'x') + "; ");
}

TEST(Elements, OfSets) {
  std::string set;
  append_element(set, Part::kSet, {.name = "m"});
  append_element(set, Part::kSet, {.name = "n", .gone = true});
  EXPECT_EQ(describe(Part::kSet, set), "m=; n is gone; ");
  std::string zset;
  append_element(zset, Part::kZset, {.name = "m", .value = "-inf"});
  EXPECT_EQ(describe(Part::kZset, zset), "m=-inf; ");
}

TEST(Elements, CutAnywhere) {
  const std::string whole = hash();
  const std::string all = describe(Part::kHash, whole);
  for (std::size_t size = 0; size < whole.size(); size++) {
    const std::string cut = whole.substr(0, size);  // what follows it is not ours to read
    try {
      EXPECT_TRUE(all.starts_with(describe(Part::kHash, cut))) << size;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Errc::kProtocol);
    }
  }
}

TEST(Elements, EveryByteChanged) {
  for (std::size_t at = 0; at < hash().size(); at++) {
    for (int value = 0; value < 256; value++) {
      std::string bytes = hash();
      bytes[at] = static_cast<char>(value);
      for (const Part part : {Part::kHash, Part::kSet, Part::kZset}) {
        try {
          describe(part, bytes);
        } catch (const Error& error) {
          EXPECT_EQ(error.code(), Errc::kProtocol);
        }
      }
    }
  }
}

}  // namespace
}  // namespace rdmasync::log

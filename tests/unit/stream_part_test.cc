#include "module/log/stream_part.h"

#include <gtest/gtest.h>

#include "rdmasync/error.h"

namespace rdmasync::log {
namespace {

std::string describe(std::string_view bytes) {
  redis::rdb::Reader from(bytes);
  const StreamHead head = take_stream_head(from);
  std::string out = (head.begins ? "begins from " : "from ") + redis::to_text(head.first);
  for (const StreamId& id : head.gone) {
    out += " -" + redis::to_text(id);
  }
  while (const auto entry = take_stream_entry(from)) {
    out += " " + redis::to_text(entry->id) + ":";
    for (const std::string_view field : entry->fields) {
      out.append(field).append(",");
    }
  }
  return out;
}

std::string part() {
  std::string bytes = stream_head({.first = {5, 1}, .gone = {{6, 0}, {1ULL << 40, 7}}});
  append_stream_entry(bytes, {.id = {7, 0}, .fields = {"f", "v", "", ""}});
  append_stream_entry(bytes, {.id = {UINT64_MAX, 1}, .fields = {"g", std::string_view("w\0x", 3)}});
  return bytes;
}

TEST(StreamPart, SaysWhatItWasMadeOf) {
  EXPECT_EQ(describe(stream_head({.begins = true})), "begins from 0-0");
  EXPECT_EQ(describe(part()),
            std::string("from 5-1 -6-0 -1099511627776-7 7-0:f,v,,, 18446744073709551615-1:g,") +
                std::string("w\0x,", 4));
}

TEST(StreamPart, SaysHowAStreamEnds) {
  const std::string bytes =
      stream_end({.last = {9, 8}, .added = 70, .max_deleted = {3, 2}, .payload = "groups"});
  redis::rdb::Reader from(bytes);
  const StreamEnd end = take_stream_end(from);
  EXPECT_EQ(end.last, (StreamId{9, 8}));
  EXPECT_EQ(end.added, 70U);
  EXPECT_EQ(end.max_deleted, (StreamId{3, 2}));
  EXPECT_EQ(end.payload, "groups");
}

TEST(StreamPart, AnEndThatIsCut) {
  const std::string bytes = stream_end({.last = {9, 8}, .added = 70, .max_deleted = {3, 2}});
  for (std::size_t size = 0; size < bytes.size(); size++) {
    const std::string cut = bytes.substr(0, size);
    redis::rdb::Reader from(cut);
    EXPECT_THROW(take_stream_end(from), Error) << size;
  }
}

TEST(StreamPart, CutAnywhere) {
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

TEST(StreamPart, EveryByteChanged) {
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

TEST(StreamId, AsCommandsHaveIt) {
  EXPECT_EQ(redis::stream_id("5"), (StreamId{5, 0}));
  EXPECT_EQ(redis::stream_id("5-7"), (StreamId{5, 7}));
  for (const char* text : {"", "-", "5-", "-5", "5-x", "x", "5-*", "*", "+"}) {
    EXPECT_FALSE(redis::stream_id(text)) << text;
  }
}

}  // namespace
}  // namespace rdmasync::log

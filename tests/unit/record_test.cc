#include "module/log/record.h"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rdmasync/error.h"

namespace rdmasync::log {
namespace {

using log_format::Kind;
using log_format::RecordHeader;
using log_format::RemoteBytes;

constexpr std::uint64_t kPartSize = 1 << 20;

template <typename T>
std::string bytes_of(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

std::string encode(const RecordInfo& info, const std::string& body) {
  std::string bytes = bytes_of(header_of(info, body.size())) + body;
  bytes.resize(record_size(body.size()));
  return bytes;
}

RecordInfo info_of(Kind kind, std::string_view key = {}, std::size_t key_offset = 0) {
  return {.kind = kind,
          .db = 3,
          .key_length = static_cast<std::uint32_t>(key.size()),
          .key_offset = static_cast<std::uint16_t>(key_offset)};
}

std::string packed(std::string_view key, std::string_view value) {
  std::string entry;
  append_entry_head(entry, {}, 0, key);
  return encode(info_of(Kind::kPacked, key, entry.size() - key.size()), entry + std::string(value));
}

constexpr RemoteBytes kThreeParts{
    .address = 4096, .length = 2 * kPartSize + 1, .rkey = 7, .further_parts = 2};
std::string two_rkeys() {
  return bytes_of(std::array<std::uint32_t, 2>{8, 9});
}
constexpr KeyMeta kMeta{1000, log_format::Recency::kIdle, 5};

std::string packed_elsewhere(std::string_view key) {
  std::string entry;
  append_entry_head(entry, {}, 0, key);
  RecordInfo info = info_of(Kind::kPacked, key, entry.size() - key.size());
  const std::string head = head_of_remote(info, kThreeParts);
  return encode(info, head + entry + two_rkeys());
}

std::string direct(const std::string& key) {
  RecordInfo info = info_of(Kind::kDirect, key);
  const std::string head = head_of_direct(info, kThreeParts, kMeta);
  return encode(info, head + key + two_rkeys());
}

/// One of every kind.
std::vector<std::string> every_record() {
  RecordInfo payload = info_of(Kind::kPayload, "key", 1);
  RecordInfo functions = info_of(Kind::kFunctions);
  const std::string head = head_of_remote(functions, kThreeParts);
  return {packed("key", "value"),
          packed("", ""),
          encode(info_of(Kind::kPart, "key", 1), "\x01keypart"),
          packed_elsewhere("key"),
          encode(payload, "\x7Fkeypayload"),
          direct("key"),
          direct(""),
          encode(info_of(Kind::kTombstone, "gone"), "gone"),
          encode(info_of(Kind::kFlush), ""),
          encode(info_of(Kind::kSwap), bytes_of(std::uint32_t{5})),
          encode(info_of(Kind::kFunctions), "libraries"),
          encode(functions, head + two_rkeys()),
          encode(info_of(Kind::kCut), bytes_of(std::uint64_t{77})),
          encode(info_of(Kind::kRoundEnd), ""),
          encode(info_of(Kind::kPad), std::string(32, 'x'))};
}

Record read(std::string_view bytes) {
  return read_record(bytes, kPartSize).value();
}

/// All records, as long as there are whole ones. Sees that nothing is outside of the bytes: they
/// are copied to where a sanitizer knows their end.
std::size_t read_all(std::string_view log) {
  const auto copy = std::make_unique<char[]>(log.size());
  std::memcpy(copy.get(), log.data(), log.size());
  std::string_view left{copy.get(), log.size()};
  std::size_t records = 0;
  while (const auto record = read_record(left, kPartSize)) {
    for (const std::string_view part : {record->key, record->entry}) {
      if (part.empty()) {
        continue;
      }
      EXPECT_GE(part.data(), left.data());
      EXPECT_LE(part.data() + part.size(), left.data() + record->size);
    }
    left.remove_prefix(record->size);
    records++;
  }
  return records;
}

std::string reason(std::string_view bytes) {
  try {
    (void)read_record(bytes, kPartSize);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::kProtocol);
    return error.what();
  }
  return "none";
}

/// With one field of the header changed.
template <typename Change>
std::string changed(std::string bytes, Change change) {
  RecordHeader header;
  std::memcpy(&header, bytes.data(), sizeof(header));
  change(header);
  std::memcpy(bytes.data(), &header, sizeof(header));
  return bytes;
}

TEST(Record, WhatIsWrittenIsRead) {
  const std::string bytes = packed("key", "value");
  const Record record = read(bytes);
  EXPECT_EQ(record.kind, Kind::kPacked);
  EXPECT_EQ(record.db, 3U);
  EXPECT_EQ(record.size, bytes.size());
  EXPECT_EQ(record.key, "key");
  EXPECT_TRUE(record.entry.ends_with("value"));
  EXPECT_FALSE(record.remote);
}

TEST(Record, APackedValueMayBeElsewhere) {
  const std::string bytes = packed_elsewhere("key");
  const Record record = read(bytes);
  EXPECT_EQ(record.key, "key");
  EXPECT_TRUE(record.entry.ends_with("key"));
  ASSERT_TRUE(record.remote);
  EXPECT_EQ(record.remote->bytes.address, kThreeParts.address);
  EXPECT_EQ(record.remote->bytes.length, kThreeParts.length);
  EXPECT_EQ(record.remote->further_rkeys, (std::vector<std::uint32_t>{8, 9}));
}

TEST(Record, ADirectValueHasItsMeta) {
  const std::string bytes = direct("key");
  const Record record = read(bytes);
  EXPECT_EQ(record.key, "key");
  EXPECT_TRUE(record.entry.empty());
  ASSERT_TRUE(record.remote);
  EXPECT_EQ(record.remote->bytes.rkey, 7U);
  EXPECT_EQ(record.remote->further_rkeys, (std::vector<std::uint32_t>{8, 9}));
  EXPECT_EQ(record.meta.expire_at_ms, kMeta.expire_at_ms);
  EXPECT_EQ(record.meta.recency_kind, kMeta.recency_kind);
  EXPECT_EQ(record.meta.recency, kMeta.recency);
}

TEST(Record, TheOthersSayOneThing) {
  EXPECT_EQ(read(encode(info_of(Kind::kSwap), bytes_of(std::uint32_t{5}))).other_db, 5U);
  EXPECT_EQ(read(encode(info_of(Kind::kCut), bytes_of(std::uint64_t{77}))).session, 77U);
  const std::string gone = encode(info_of(Kind::kTombstone, "gone"), "gone");
  EXPECT_EQ(read(gone).key, "gone");
}

TEST(Record, WhatNoMasterWritesIsRefused) {
  const std::string entry = packed("key", "value");
  const auto with = [&](auto change) { return reason(changed(entry, change)); };
  EXPECT_EQ(with([](RecordHeader& h) { h.size = 0; }),
            "the export log has a record of an impossible size");
  EXPECT_EQ(with([](RecordHeader& h) { h.size += 1; }),
            "the export log has a record of an impossible size");
  EXPECT_EQ(with([](RecordHeader& h) { h.slack_and_flags |= 0x10; }),
            "the export log has a malformed record");
  EXPECT_EQ(with([](RecordHeader& h) { h.key_length = 100; }),
            "the export log has a key outside of its record");
  EXPECT_EQ(with([](RecordHeader& h) { h.key_length = UINT32_MAX; }),
            "the export log has a key outside of its record");
  EXPECT_EQ(with([](RecordHeader& h) { h.key_offset = UINT16_MAX; }),
            "the export log has a key outside of its record");
  EXPECT_EQ(with([](RecordHeader& h) { h.kind = static_cast<Kind>(100); }),
            "the export log has a record of an unknown kind: the master's rdmasync is newer");
  EXPECT_EQ(with([](RecordHeader& h) { h.kind = Kind::kRoundEnd; }),
            "the export log has a key outside of its record");
  EXPECT_EQ(with([](RecordHeader& h) { h.slack_and_flags |= RecordHeader::kRemote; }),
            "the export log has a short record");
}

TEST(Record, AHeaderAloneHasNoSlack) {
  const std::string bytes =
      changed(encode(info_of(Kind::kRoundEnd), ""), [](RecordHeader& h) { h.slack_and_flags = 1; });
  EXPECT_EQ(reason(bytes), "the export log has a malformed record");
}

TEST(Record, ABodyOfAnotherLengthIsRefused) {
  EXPECT_EQ(reason(encode(info_of(Kind::kCut), "short")), "the export log has a short record");
  EXPECT_EQ(reason(encode(info_of(Kind::kSwap), std::string(5, 'x'))),
            "the export log has a long record");
  EXPECT_EQ(reason(encode(info_of(Kind::kDirect, "key"), std::string(20, 'x'))),
            "the export log has a short record");
}

TEST(Record, AValueHasAnRkeyForEveryPart) {
  for (const std::uint32_t parts : {0U, 1U, 3U, 1U << 20, UINT32_MAX}) {
    RemoteBytes bytes = kThreeParts;
    bytes.further_parts = parts;
    RecordInfo info = info_of(Kind::kDirect, "key");
    std::string body = head_of_direct(info, bytes, kMeta);
    body.append("key").append(two_rkeys());
    EXPECT_EQ(reason(encode(info, body)),
              "the export log has a value with too few rkeys, or too many")
        << parts;
  }
  RemoteBytes large = kThreeParts;
  large.length = 100 * kPartSize;
  large.further_parts = 99;
  RecordInfo info = info_of(Kind::kPacked);
  const std::string head = head_of_remote(info, large);
  EXPECT_EQ(reason(encode(info, head + two_rkeys())),
            "the export log has a value with too few rkeys, or too many");
}

TEST(Record, AKeyIsNotAmongTheBytesThatTellOfItsValue) {
  const std::string value = direct("key");
  const auto at = [&](std::uint16_t offset) {
    return reason(changed(value, [offset](RecordHeader& h) { h.key_offset = offset; }));
  };
  EXPECT_EQ(at(0), "the export log has a key outside of its record");
  EXPECT_EQ(at(sizeof(log_format::ValueBody) - 1),
            "the export log has a key outside of its record");
  EXPECT_EQ(at(sizeof(log_format::ValueBody) + 1),
            "the export log has a key outside of its record");
}

TEST(Record, AUseOfAnUnknownKindIsRefused) {
  RecordInfo info = info_of(Kind::kDirect, "key");
  const KeyMeta meta{0, static_cast<log_format::Recency>(3), 0};
  const std::string head = head_of_direct(info, kThreeParts, meta);
  EXPECT_EQ(reason(encode(info, head + "key" + two_rkeys())),
            "the export log has a use of an unknown kind");
}

TEST(Record, ALogCutAnywhereHasTheRecordsBefore) {
  std::string log;
  std::vector<std::size_t> ends;
  for (const std::string& record : every_record()) {
    log += record;
    ends.push_back(log.size());
  }
  std::size_t whole = 0;
  for (std::size_t size = 0; size <= log.size(); ++size) {
    if (whole < ends.size() && size == ends[whole]) {
      whole++;
    }
    EXPECT_EQ(read_all(std::string_view(log).substr(0, size)), whole) << size;
  }
}

TEST(Record, NoByteChangedLeadsOutside) {
  std::string log;
  for (const std::string& record : every_record()) {
    log += record;
  }
  std::size_t refused = 0;
  for (std::size_t at = 0; at < log.size(); ++at) {
    for (int value = 0; value < 256; ++value) {
      std::string other = log;
      other[at] = static_cast<char>(value);
      try {
        read_all(other);
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), Errc::kProtocol);
        refused++;
      }
    }
  }
  EXPECT_GT(refused, 0U);
}

/// As docs/log.md shows it.
TEST(Record, TheWorkedExample) {
  const std::string example(
      "\x20\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x02\x00\x01\x0b"
      "\x00\x01k\x01v\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
      32);
  std::string entry;
  append_entry_head(entry, {}, 0, "k");
  RecordInfo info{.kind = Kind::kPacked, .db = 0, .key_length = 1, .key_offset = 2};
  std::string made = bytes_of(header_of(info, entry.size() + 2)) + entry + "\x01v";
  made.resize(record_size(entry.size() + 2));
  EXPECT_EQ(made, example);
  const auto record = read_record(example, kPartSize);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->key, "k");
  EXPECT_EQ(record->entry, std::string_view("\x00\x01k\x01v", 5));
}

}  // namespace
}  // namespace rdmasync::log

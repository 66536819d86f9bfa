#include "module/replica/staging.h"

#include <gtest/gtest.h>

#include "module/replica/stub_rdb.h"

namespace rdmasync::replica {
namespace {

using namespace std::string_literals;

Incoming packed(std::string_view entry) {
  Incoming incoming;
  incoming.entry = entry;
  return incoming;
}

std::string_view entry_of(const Staging& staging, std::uint32_t db, std::string_view key) {
  return staging.databases().at(db).find(key)->entry;
}

std::string stub_of(const Staging& staging) {
  std::string stub;
  write_stub_rdb(staging, 10, "token", [&](std::string_view bytes) { stub.append(bytes); });
  return stub;
}

TEST(Staging, TheLastRecordOfAKeyWins) {
  Staging staging;
  staging.put(0, "k", packed("old"));
  staging.put(0, "k", packed("new"));
  staging.put(1, "k", packed("other"));
  EXPECT_EQ(staging.keys(), 2U);
  EXPECT_EQ(entry_of(staging, 0, "k"), "new");
  staging.erase(0, "k");
  staging.erase(7, "k");
  EXPECT_EQ(staging.keys(), 1U);
}

TEST(Staging, FlushAndSwapFollowTheMaster) {
  Staging staging;
  staging.put(0, "a", packed("a"));
  staging.put(1, "b", packed("b"));
  staging.swap(0, 1);
  EXPECT_EQ(entry_of(staging, 1, "a"), "a");
  EXPECT_EQ(entry_of(staging, 0, "b"), "b");
  staging.swap(1, 9);
  EXPECT_EQ(entry_of(staging, 9, "a"), "a");
  staging.flush(0);
  EXPECT_EQ(staging.keys(), 1U);
  staging.flush(log_format::kAllDatabases);
  EXPECT_EQ(staging.keys(), 0U);
}

TEST(StubRdb, HasEveryEntryOnceAndTheTokenLast) {
  Staging staging;
  staging.put(0, "k", packed("<old>"));
  staging.put(0, "k", packed("<entry>"));
  staging.put(2, "r", [] {
    Incoming incoming = packed("<head>");
    incoming.landing = std::make_shared<Landing>();
    incoming.landing->bytes = "<rest>";
    return incoming;
  }());
  staging.put(3, "gone", packed("<gone>"));
  staging.erase(3, "gone");
  const std::string functions = "<functions>" + std::string(10, '.');  // the footer
  staging.set_functions(functions, nullptr);

  const std::string stub = stub_of(staging);
  EXPECT_EQ(stub.substr(0, 9), "REDIS0010");
  EXPECT_EQ(stub.find("<old>"), std::string::npos);
  EXPECT_NE(stub.find("<functions>\xFE\x00\xFB\x01\x00<entry>"s), std::string::npos);
  EXPECT_NE(stub.find("\xFE\x02\xFB\x01\x00<head><rest>"s), std::string::npos);
  EXPECT_EQ(stub.find("\xFE\x03"s), std::string::npos) << "an empty database";
  EXPECT_EQ(stub.substr(stub.size() - 16), "\x05token\x00\xFF"s + std::string(8, '\0'));
}

TEST(StubRdb, LargePiecesPassThroughInOrder) {
  Staging staging;
  const std::string large(1 << 20, 'L');
  staging.put(0, "large", packed(large));
  const std::string stub = stub_of(staging);
  const auto at = stub.find(large);
  ASSERT_NE(at, std::string::npos);
  EXPECT_LT(stub.find("REDIS"), at);
  EXPECT_GT(stub.find("token"), at);
}

}  // namespace
}  // namespace rdmasync::replica

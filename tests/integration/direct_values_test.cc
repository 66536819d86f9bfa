// Large values: read where they are, never copied by the master, and the memory that the read has
// filled is the value.

#include <fstream>

#include "harness/sync_test.h"
#include "tests/support/dataset.h"

namespace rdmasync::test {
namespace {

class DirectValuesTest : public FabricTest {};
RDMASYNC_FOR_EACH_FABRIC(DirectValuesTest);

std::string pointer(Server& server, const std::string& key) {
  return server.must("RDMASYNC.DEBUG", "POINTER", key).text;
}

Reply linked(Server& replica, const std::string& key) {
  return replica.must("RDMASYNC.DEBUG", "LINKED", key);
}

/// The most memory the process has had since reset_peak().
long long peak_bytes(const Server& server) {
  std::ifstream in("/proc/" + std::to_string(server.pid()) + "/status");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("VmHWM:")) {
      return std::stoll(line.substr(line.find_first_of("0123456789"))) * 1024;
    }
  }
  throw std::runtime_error("no VmHWM");
}

void reset_peak(const Server& server) {
  std::ofstream out("/proc/" + std::to_string(server.pid()) + "/clear_refs");
  out << "5" << std::flush;
  if (!out) {
    throw std::runtime_error("cannot reset VmHWM");
  }
}

TEST_P(DirectValuesTest, TheReadFillsTheValueItself) {
  Server& master = start_master();
  Server& replica = start_replica();
  for (const std::size_t length : {64U << 10U, (64U << 10U) + 1, 1U << 20U, 4U << 20U}) {
    master.must("SET", "direct:" + std::to_string(length), random_bytes(length, length));
  }
  master.must("SET", "packed", random_bytes(1, (64 << 10) - 1));
  slaveof(replica, master);
  wait_synced(replica, master);
  for (const std::size_t length : {64U << 10U, (64U << 10U) + 1, 1U << 20U, 4U << 20U}) {
    const std::string key = "direct:" + std::to_string(length);
    EXPECT_FALSE(linked(replica, key).is_nil()) << key;
    if (takes_strings_as_they_are(replica)) {
      EXPECT_EQ(linked(replica, key).text, pointer(replica, key)) << key;
    }
  }
  EXPECT_TRUE(linked(replica, "packed").is_nil());
  EXPECT_TRUE(equal(master, replica, {.exact = true}));
}

TEST_P(DirectValuesTest, TheMasterCopiesNoneOfTheirBytes) {
  // An emulated machine needs long for the digest of many.
  const int values = fabric() == "verbs" ? 24 : 64;
  constexpr long long kRing = 16LL << 20;
  Server& master = start_master({.config = {"rdmasync.export-memory 16mb"}});
  Server& replica = start_replica();
  // The module's own start-up and the client's buffers are not what is measured.
  fill_dataset(master, {.small_keys = 100, .large_values = values, .large_bytes = 4 << 20});
  const long long small_bytes = 8LL << 20;
  reset_peak(master);
  const long long before = peak_bytes(master);
  slaveof(replica, master);
  wait_synced(replica, master);
  EXPECT_LT(peak_bytes(master) - before, kRing + (16LL << 20));
  EXPECT_LT(status_number(master, "export_ring_bytes"), small_bytes);
  EXPECT_GE(status_number(master, "export_direct"), values);
  EXPECT_GE(status_number(replica, "sync_total_bytes"), values * (4LL << 20));
  EXPECT_TRUE(equal(master, replica));
  wait_export_gone(master);
}

TEST_P(DirectValuesTest, TableShowsWhereTheyAre) {
  Server& master = start_master();
  Server& replica = start_replica();
  EXPECT_EQ(master.must("RDMASYNC.TABLE").describe(), "[]");
  constexpr std::size_t kLength = 1 << 20;
  master.must("SET", "value", random_bytes(1, kLength));
  master.must("SET", "other", random_bytes(2, kLength));
  pause_at(replica, "pulling");
  slaveof(replica, master);
  wait_state(replica, "pulling");
  Reply table;
  wait_until("the table has both values", [&] {
    table = master.must("RDMASYNC.TABLE");
    return table.elements.size() >= 2;
  });
  EXPECT_EQ(master.must("RDMASYNC.TABLE", "COUNT", 1).elements.size(), 1U);
  const Reply* row = nullptr;
  for (const Reply& candidate : table.elements) {
    ASSERT_EQ(candidate.elements.size(), 6U) << candidate.describe();
    if (candidate.elements[0].text == "value") {
      row = &candidate;
    }
  }
  ASSERT_NE(row, nullptr) << table.describe();
  EXPECT_EQ(row->elements[1].text, "0");
  EXPECT_EQ(row->elements[3].text, pointer(master, "value"));
  EXPECT_EQ(row->elements[4].text, std::to_string(kLength));
  pause_at(replica, "none");
  wait_synced(replica, master);
  EXPECT_TRUE(equal(master, replica));
}

TEST_P(DirectValuesTest, PinnedMemoryIsBoundedAndReturned) {
  constexpr long long kRing = 4LL << 20;
  constexpr long long kLimit = 8LL << 20;
  constexpr long long kExcess = 4LL << 20;  // what one bucket of the scan may hold beyond it
  Server& master =
      start_master({.config = {"rdmasync.pinned-memory 8mb", "rdmasync.export-memory 4mb"}});
  Server& replica = start_replica();
  fill_dataset(master, {.large_values = 64, .large_bytes = 1 << 20});
  pause_at(replica, "pulling");
  slaveof(replica, master);
  wait_state(replica, "pulling");
  wait_until("values are registered",
             [&] { return status_number(master, "pinned_bytes") > kRing + kLimit / 2; });
  EXPECT_LE(status_number(master, "pinned_bytes"), kRing + kLimit + kExcess);
  pause_at(replica, "none");
  wait_synced(replica, master);
  EXPECT_TRUE(equal(master, replica));
  wait_export_gone(master);
}

TEST_P(DirectValuesTest, ExpiryGoesWithThem) {
  Server& master = start_master();
  Server& replica = start_replica();
  constexpr long long kTime = 9000000000123;
  master.must("SET", "value", random_bytes(1, 1 << 20), "PXAT", kTime);
  slaveof(replica, master);
  wait_synced(replica, master);
  EXPECT_FALSE(linked(replica, "value").is_nil());
  EXPECT_EQ(replica.must("PEXPIRETIME", "value").number, kTime);
}

}  // namespace
}  // namespace rdmasync::test

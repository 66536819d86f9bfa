// Master and replica of different servers: RDMASYNC_TEST_SERVERS has them, as scripts/servers
// prints them.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "harness/sync_test.h"
#include "tests/support/dataset.h"

namespace rdmasync::test {
namespace {

std::string version_of(Server& server) {
  const auto fields = server.info("server");
  const auto valkey = fields.find("valkey_version");
  return valkey != fields.end() ? "Valkey " + valkey->second
                                : "Redis " + fields.at("redis_version");
}

/// The programs, by the version that each says it has.
std::map<std::string, std::string> servers() {
  const char* listed = std::getenv("RDMASYNC_TEST_SERVERS");
  std::istringstream words(listed != nullptr ? listed : "");
  std::map<std::string, std::string> programs;
  for (std::string name, program; words >> name >> program;) {
    Server asked(name, {.program = program});
    programs[version_of(asked)] = program;
  }
  return programs;
}

/// A line of a table in Markdown.
std::string line_of(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const std::string& cell : cells) {
    line.append(cell.empty() ? "" : " ").append(cell).append(" |");
  }
  return line + "\n";
}

std::string readme() {
  std::ifstream in(RDMASYNC_TEST_README);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// By Redis's own full sync: servers of different versions make different digests of the same data.
std::string digest_of_native_replica(Server& master, const std::string& program) {
  Server native("native", {.load_module = false, .program = program});
  native.must("REPLICAOF", master.host(), master.port());
  wait_link_up(native, master);
  wait_offsets_equal(master, native);
  return digest(native);
}

/// "syncs", once the replica is found to have what a native sync gives, or "refused", with both
/// versions in the reason and the replica's data as it was.
std::string outcome(Server& master, Server& replica, const std::string& program) {
  fill_old_dataset(replica);
  slaveof(replica, master);
  wait_until(
      "the sync succeeds or fails",
      [&] {
        return status(replica, "state") == "synced" || !status(replica, "last_sync_error").empty();
      },
      [&] { return describe_status(replica); });
  const std::string error = status(replica, "last_sync_error");
  if (error.empty()) {
    wait_synced(replica, master);
    wait_offsets_equal(master, replica);
    EXPECT_EQ(digest(replica), digest_of_native_replica(master, program));
    return "syncs";
  }
  EXPECT_TRUE(mentions(error, version_of(master)));
  EXPECT_TRUE(mentions(error, version_of(replica)));
  EXPECT_TRUE(has_old_dataset(replica));
  return "refused";
}

TEST(MixedServersTest, EveryPairSyncsOrRefusesAndLosesNothing) {
  const auto programs = servers();
  if (programs.empty()) {
    GTEST_SKIP() << "RDMASYNC_TEST_SERVERS is empty";
  }
  std::vector<std::string> head = {""};
  for (const auto& [version, program] : programs) {
    head.push_back(version);
  }
  std::string rows;
  for (const auto& [master_version, master_program] : programs) {
    Server master("master", {.program = master_program});
    fill_dataset(master, {.small_keys = 300, .large_values = 3});
    std::vector<std::string> row = {master_version};
    for (const auto& [replica_version, replica_program] : programs) {
      Server replica("replica", {.program = replica_program});
      SCOPED_TRACE(testing::Message() << master_version << " to " << replica_version);
      row.push_back(outcome(master, replica, replica_program));
      if (master_version == replica_version) {
        EXPECT_EQ(row.back(), "syncs");
      }
    }
    rows += line_of(row);
  }
  const std::string table =
      line_of(head) + line_of(std::vector<std::string>(head.size(), "---")) + rows;
  std::cout << table;
  // Other versions than those may have come, and are no fault.
  if (readme().find(line_of(head)) != std::string::npos) {
    EXPECT_NE(readme().find(table), std::string::npos) << "README.md has another table";
  }
}

}  // namespace
}  // namespace rdmasync::test

// Master and replica of different servers: RDMASYNC_TEST_SERVERS has them, as scripts/servers
// prints them.

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <map>
#include <sstream>
#include <string>

#include "dataset.h"
#include "harness/sync_test.h"

namespace rdmasync::test {
namespace {

std::map<std::string, std::string> servers() {
  const char* listed = std::getenv("RDMASYNC_TEST_SERVERS");
  std::istringstream words(listed != nullptr ? listed : "");
  std::map<std::string, std::string> programs;
  for (std::string name, program; words >> name >> program;) {
    programs[name] = program;
  }
  return programs;
}

std::string version_of(Server& server) {
  const auto fields = server.info("server");
  const auto valkey = fields.find("valkey_version");
  return valkey != fields.end() ? "Valkey " + valkey->second
                                : "Redis " + fields.at("redis_version");
}

/// By Redis's own full sync: servers of different versions make different digests of the same data.
std::string digest_of_native_replica(Server& master, const std::string& program) {
  Server native("native", {.load_module = false, .program = program});
  native.must("REPLICAOF", master.host(), master.port());
  wait_link_up(native, master);
  wait_offsets_equal(master, native);
  return digest(native);
}

/// "synced", once the replica is found to have what a native sync gives, or "refused", with both
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
    return "synced";
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
  for (const auto& [master_name, master_program] : programs) {
    Server master("master", {.program = master_program});
    fill_dataset(master, {.small_keys = 300, .large_values = 3});
    for (const auto& [replica_name, replica_program] : programs) {
      Server replica("replica", {.program = replica_program});
      std::string pair = version_of(master);
      pair.append(" to ").append(version_of(replica));
      SCOPED_TRACE(pair);
      const std::string found = outcome(master, replica, replica_program);
      std::cout << pair << ": " << found << '\n';
      if (master_name == replica_name) {
        EXPECT_EQ(found, "synced");
      }
    }
  }
}

}  // namespace
}  // namespace rdmasync::test

#include "harness/sync_test.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <stdexcept>

#include "harness/wire.h"

namespace rdmasync::test {

std::vector<std::string> fabrics() {
  const char* chosen = std::getenv("RDMASYNC_TEST_FABRICS");
  std::istringstream words(chosen != nullptr ? chosen : "cma,tcp,verbs");
  std::vector<std::string> names;
  for (std::string name; std::getline(words, name, ',');) {
    names.push_back(name);
  }
  return names;
}

bool has_rdma_device() {
  std::error_code none;
  return std::filesystem::directory_iterator("/sys/class/infiniband", none) !=
         std::filesystem::directory_iterator();
}

std::vector<std::string> fabric_args(const std::string& fabric) {
  std::vector<std::string> args{"fabric", fabric, "debug", "yes"};
  if (fabric == "verbs" && !address_on_wire().empty()) {
    args.insert(args.end(), {"bind", address_on_wire()});
  }
  return args;
}

void SyncTest::skip_unless_there(const std::string& fabric) {
  if (fabric == "verbs" && !has_rdma_device()) {
    GTEST_SKIP() << "no RDMA device: scripts/rdma-vm has two";
  }
}

Server& SyncTest::start_server(const std::string& name, ServerOptions options) {
  servers_.push_back(std::make_unique<Server>(name, std::move(options)));
  return *servers_.back();
}

void SyncTest::expect_no_native_full_sync(Server& master) const {
  if (!master.options().load_module || status(master, "exports") == "0") {
    return;
  }
  // Who makes it create its backlog counts as one.
  const std::string log = master.log();
  const std::string asks = "makes this server create its backlog";
  int asked_to_create_backlog = 0;
  for (auto at = log.find(asks); at != std::string::npos; at = log.find(asks, at + 1)) {
    asked_to_create_backlog++;
  }
  EXPECT_LE(std::stoi(master.info("stats", "sync_full")),
            asked_to_create_backlog + native_full_syncs_)
      << master.name() << " has made a native full sync";
}

void SyncTest::TearDown() {
  for (const auto& server : servers_) {
    if (server->pid() > 0) {
      if (server->alive()) {
        expect_no_native_full_sync(*server);
      }
      EXPECT_TRUE(server->alive()) << server->name() << " died";
      EXPECT_TRUE(server->stop()) << server->name() << " did not exit cleanly on SIGTERM";
    }
    EXPECT_EQ(server->log().find("BUG REPORT"), std::string::npos) << server->name() << " crashed";
  }
  if (HasFailure()) {
    constexpr std::size_t kLines = 150;
    for (const auto& server : servers_) {
      std::cerr << "---- log of " << server->name() << " (port " << server->port() << ")\n"
                << server->log_tail(kLines) << '\n';
    }
  }
  servers_.clear();
}

ServerOptions FabricTest::with_fabric(ServerOptions options) {
  std::vector<std::string> args = fabric_args(fabric());
  options.module_args.insert(options.module_args.begin(), args.begin(), args.end());
  return options;
}

Server& FabricTest::start_master(ServerOptions options) {
  return start_server("master", with_fabric(std::move(options)));
}

Server& FabricTest::start_replica(ServerOptions options) {
  return start_server("replica", with_fabric(std::move(options)));
}

Server& FabricTest::start_slow_replica(std::vector<std::string> config) {
  config.insert(config.end(), {"key-load-delay 300", "loading-process-events-interval-bytes 1024",
                               "repl-diskless-sync-delay 0"});
  return start_replica({.config = std::move(config)});
}

std::string fabric_name(const ::testing::TestParamInfo<std::string>& info) {
  return info.param;
}

Fields status(Server& server) {
  return server.client().status();
}

bool takes_strings_as_they_are(Server& server) {
  const auto fields = server.info("server");
  const auto at_least = [&](const std::string& name, int major, int minor) {
    int found_major = 0;
    int found_minor = 0;
    std::sscanf(fields.at(name).c_str(), "%d.%d", &found_major, &found_minor);
    return std::pair(found_major, found_minor) >= std::pair(major, minor);
  };
  return fields.contains("valkey_version") ? !at_least("valkey_version", 8, 1)
                                           : !at_least("redis_version", 8, 2);
}

std::string status(Server& server, const std::string& field) {
  const auto fields = status(server);
  const auto found = fields.find(field);
  if (found == fields.end()) {
    throw std::runtime_error("RDMASYNC.STATUS has no field " + field);
  }
  return found->second;
}

long long status_number(Server& server, const std::string& field) {
  return std::stoll(status(server, field));
}

std::string describe_status(Server& server) {
  std::string text = server.name() + ":";
  for (const auto& [field, value] : status(server)) {
    text.append(" ").append(field).append("=").append(value);
  }
  return text;
}

void turn(Server& replica, const Command& command) {
  Reply reply;
  wait_until(replica.name() + " does not load", [&] {
    reply = replica.client().run(command);
    return !reply.text.starts_with("LOADING");
  });
  EXPECT_TRUE(reply.describe().starts_with("+OK")) << reply.describe();
}

void slaveof(Server& replica, const Server& master) {
  turn(replica, {"RDMASYNC.SLAVEOF", master.host(), std::to_string(master.port())});
}

void slaveof_no_one(Server& replica) {
  turn(replica, {"RDMASYNC.SLAVEOF", "NO", "ONE"});
}

void wait_synced(Server& replica, Server& master) {
  wait_until(
      replica.name() + " is synced with " + master.name(),
      [&] {
        const auto link = replica.info("replication");
        return status(replica, "state") == "synced" && link.at("role") == "slave" &&
               link.at("master_port") == std::to_string(master.port()) &&
               link.at("master_link_status") == "up";
      },
      [&] { return describe_status(replica) + "; " + replica.must("INFO", "replication").text; });
}

void pause_at(Server& replica, const std::string& state) {
  replica.must("RDMASYNC.DEBUG", "PAUSE-AT", state);
}

void wait_state(Server& replica, const std::string& state) {
  wait_until(
      replica.name() + " is " + state, [&] { return status(replica, "state") == state; },
      [&] { return describe_status(replica); });
}

std::string wait_error(Server& replica) {
  wait_until(
      replica.name() + " tells why the sync failed",
      [&] { return !status(replica, "last_sync_error").empty(); },
      [&] { return describe_status(replica); });
  return status(replica, "last_sync_error");
}

void wait_loading(const Server& replica) {
  wait_until(replica.name() + " loads",
             [&] { return replica.log().find("Loading DB in memory") != std::string::npos; });
}

void wait_settled(Server& replica) {
  wait_until(replica.name() + " has its own settings again",
             [&] { return replica.config("repl-diskless-load") == "disabled"; });
}

void wait_link_up(Server& below, const Server& above) {
  wait_until(below.name() + " is linked natively to " + above.name(), [&] {
    const auto link = below.info("replication");
    return link.at("role") == "slave" && link.at("master_port") == std::to_string(above.port()) &&
           link.at("master_link_status") == "up";
  });
}

::testing::AssertionResult mentions(const std::string& text, const std::string& what) {
  const auto same = [](char a, char b) { return std::tolower(a) == std::tolower(b); };
  if (std::search(text.begin(), text.end(), what.begin(), what.end(), same) != text.end()) {
    return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure() << '"' << text << "\" does not mention " << what;
}

void wait_export_gone(Server& master) {
  wait_until(
      master.name() + " has let go of the export",
      [&] {
        return status(master, "export_replicas") == "0" && status(master, "pinned_bytes") == "0";
      },
      [&] { return describe_status(master); });
}

::testing::AssertionResult equal(Server& master, Server& replica, CompareOptions options) {
  const std::string difference = first_difference(master, replica, options);
  if (difference.empty()) {
    return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure()
         << master.name() << " and " << replica.name() << " differ: " << difference;
}

}  // namespace rdmasync::test

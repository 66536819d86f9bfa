// What only RDMA devices can meet: a wire that loses packets or breaks, locked memory that is
// scarce, small regions, no device at all or none that may be used.

#include <array>
#include <cctype>
#include <cstdlib>
#include <fstream>

#include "harness/sync_test.h"
#include "harness/wire.h"
#include "tests/support/dataset.h"

namespace rdmasync::test {
namespace {

constexpr long long kMiB = 1LL << 20;

ServerOptions with_args(ServerOptions options, const std::string& fabric) {
  options.module_args = fabric_args(fabric);
  return options;
}

class RdmaTest : public SyncTest {
 protected:
  void SetUp() override { skip_unless_there("verbs"); }

  Server& start_verbs(const std::string& name, ServerOptions options = {}) {
    return start_server(name, with_args(std::move(options), "verbs"));
  }
};

/// What a process has pinned for devices, from the kernel.
long long pinned_by_kernel(const Server& server) {
  std::ifstream in("/proc/" + std::to_string(server.pid()) + "/status");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("VmPin:")) {
      return std::stoll(line.substr(line.find_first_of("0123456789"))) * 1024;
    }
  }
  throw std::runtime_error("no VmPin");
}

TEST_F(RdmaTest, NothingStaysPinned) {
  Server& master = start_verbs("master");
  Server& replica = start_verbs("replica");
  fill_dataset(master, {.large_values = 8});
  pause_at(replica, "pulling");
  slaveof(replica, master);
  wait_state(replica, "pulling");
  wait_until("the master has pinned memory", [&] { return pinned_by_kernel(master) > 4 * kMiB; });
  pause_at(replica, "none");
  wait_synced(replica, master);
  wait_export_gone(master);
  EXPECT_EQ(status(replica, "pinned_bytes"), "0");
  EXPECT_EQ(pinned_by_kernel(master), 0);
  EXPECT_EQ(pinned_by_kernel(replica), 0);
  EXPECT_TRUE(equal(master, replica));
}

TEST_F(RdmaTest, AutoTakesTheDevices) {
  ServerOptions options{.module_args = {"debug", "yes"}};
  if (!address_on_wire().empty()) {
    options.module_args.insert(options.module_args.end(), {"bind", address_on_wire()});
  }
  Server& master = start_server("master", options);
  Server& replica = start_server("replica", options);
  fill_dataset(master);
  slaveof(replica, master);
  wait_synced(replica, master);
  EXPECT_EQ(status(replica, "fabric"), "verbs") << replica.log_tail(40);
  EXPECT_TRUE(equal(master, replica));
}

/// Runs a server that may lock no more than 64 KiB. Root is exempt by a capability, which it loses
/// here.
std::vector<std::string> scarce_memory() {
  return {"setpriv", "--bounding-set=-ipc_lock", "prlimit", "--memlock=65536:65536"};
}

class MemlockTest : public RdmaTest, public ::testing::WithParamInterface<const char*> {
 protected:
  Server& start(const std::string& name, const std::string& fabric) {
    ServerOptions options = with_args({}, "verbs");
    options.module_args[1] = fabric;
    if (name == GetParam()) {
      options.launcher = scarce_memory();
    }
    return start_server(name, options);
  }
};
INSTANTIATE_TEST_SUITE_P(Scarce, MemlockTest, ::testing::Values("master", "replica"),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(MemlockTest, CauseAndRemedyAreTold) {
  Server& master = start("master", "verbs");
  Server& replica = start("replica", "verbs");
  fill_dataset(master);
  fill_old_dataset(replica);
  slaveof(replica, master);
  const std::string reason = wait_error(replica);
  EXPECT_TRUE(mentions(reason, "memlock"));
  EXPECT_EQ(reason.find('\n'), std::string::npos) << reason;
  EXPECT_TRUE(has_old_dataset(replica));
}

TEST_P(MemlockTest, AutoTakesAnotherFabric) {
  Server& master = start("master", "auto");
  Server& replica = start("replica", "auto");
  fill_dataset(master);
  slaveof(replica, master);
  wait_synced(replica, master);
  EXPECT_NE(status(replica, "fabric"), "verbs");
  EXPECT_TRUE(mentions(master.log() + replica.log(), "memlock"));
  EXPECT_TRUE(equal(master, replica));
}

/// Devices that register no more than kPart as one: what is larger is read in parts.
class SmallRegionsTest : public RdmaTest, public ::testing::WithParamInterface<const char*> {
 protected:
  static constexpr std::size_t kPart = 256 << 10;

  Server& start(const std::string& name, ServerOptions options = {}) {
    if (GetParam() == name || GetParam() == std::string("both")) {
      options.launcher = {"env", "RDMASYNC_MAX_MR_SIZE=" + std::to_string(kPart)};
    }
    return start_verbs(name, std::move(options));
  }
};
INSTANTIATE_TEST_SUITE_P(Small, SmallRegionsTest, ::testing::Values("master", "replica", "both"),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(SmallRegionsTest, LargeValuesAreStillReadInPlace) {
  constexpr std::array kLengths{kPart - 1, kPart, kPart + 1, 2 * kPart, 9 * kPart + 1000};
  // A hash that is larger than a part is larger than what this log carries, too.
  Server& master = start("master", {.config = {"rdmasync.export-memory 2mb"}});
  Server& replica = start("replica");
  fill_dataset(master);
  master.must("SELECT", 0);
  for (const std::size_t length : kLengths) {
    master.must("SET", "value:" + std::to_string(length), random_bytes(length, length));
  }
  for (std::size_t field = 0; field < 2 * kPart / 1000; ++field) {
    master.must("HSET", "hash", field, random_bytes(field, 1000));
  }
  slaveof(replica, master);
  wait_synced(replica, master);
  for (const std::size_t length : kLengths) {
    const std::string key = "value:" + std::to_string(length);
    const Reply linked = replica.must("RDMASYNC.DEBUG", "LINKED", key);
    EXPECT_FALSE(linked.is_nil()) << key;
    EXPECT_EQ(linked.text, replica.must("RDMASYNC.DEBUG", "POINTER", key).text) << key;
  }
  EXPECT_EQ(status(replica, "syncs_failed"), "0") << status(replica, "last_sync_error");
  EXPECT_EQ(master.log().find("copies large values"), std::string::npos);
  wait_export_gone(master);
  EXPECT_EQ(pinned_by_kernel(master), 0);
  EXPECT_EQ(pinned_by_kernel(replica), 0);
  EXPECT_TRUE(equal(master, replica));
}

/// Devices whose nodes this process's user may not open. Root is exempt by capabilities, which it
/// loses here, and its own files; so the nodes are another's, in a mount namespace of the server.
std::vector<std::string> forbidden_devices() {
  const std::string script = R"(
    mount -t tmpfs none /mnt
    cp -a /dev/infiniband/. /mnt
    chown nobody /mnt/*
    chmod 600 /mnt/*
    mount --bind /mnt /dev/infiniband
    exec setpriv --bounding-set=-dac_override,-dac_read_search "$@")";
  return {"unshare", "--mount", "sh", "-ec", script, "sh"};
}

class NoPermissionTest : public RdmaTest, public ::testing::WithParamInterface<const char*> {
 protected:
  Server& start(const std::string& name, const std::string& fabric) {
    ServerOptions options = with_args({}, "verbs");
    options.module_args[1] = fabric;
    if (name == GetParam()) {
      options.launcher = forbidden_devices();
    }
    return start_server(name, options);
  }
};
INSTANTIATE_TEST_SUITE_P(Forbidden, NoPermissionTest, ::testing::Values("master", "replica"),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(NoPermissionTest, CauseAndRemedyAreTold) {
  Server& master = start("master", "verbs");
  Server& replica = start("replica", "verbs");
  fill_dataset(master, {.large_values = 1});
  fill_old_dataset(replica);
  slaveof(replica, master);
  const std::string reason = wait_error(replica);
  EXPECT_TRUE(mentions(reason, "permission denied"));
  EXPECT_TRUE(mentions(reason, "/dev/infiniband/uverbs"));
  EXPECT_TRUE(mentions(reason, "read and write"));
  EXPECT_EQ(bool(mentions(reason, "the master")), GetParam() == std::string("master")) << reason;
  EXPECT_EQ(reason.find('\n'), std::string::npos) << reason;
  EXPECT_TRUE(has_old_dataset(replica));
}

TEST_P(NoPermissionTest, AutoTakesAnotherFabric) {
  Server& master = start("master", "auto");
  Server& replica = start("replica", "auto");
  fill_dataset(master, {.large_values = 1});
  slaveof(replica, master);
  wait_synced(replica, master);
  EXPECT_NE(status(replica, "fabric"), "verbs");
  EXPECT_TRUE(mentions(replica.log(), "not verbs"));
  EXPECT_TRUE(mentions(replica.log(), "permission denied"));
  EXPECT_TRUE(equal(master, replica));
}

/// Redis's own connections do not take the wire.
class RdmaWireTest : public RdmaTest {
 protected:
  void SetUp() override {
    RdmaTest::SetUp();
    if (!IsSkipped() && !has_wire()) {
      GTEST_SKIP() << "no wire that may be spoilt: scripts/rdma-vm has one";
    }
    if (!IsSkipped()) {
      // A deadline of the module's own may be reached, too.
      options_.config = {"rdmasync.replica-timeout 10"};
    }
  }
  void TearDown() override {
    if (has_wire()) {
      wire("--mend");
    }
    RdmaTest::TearDown();
  }

  /// A sync that is in the middle of reading large values, and will be for seconds.
  void start_slow_sync(Server& master, Server& replica) {
    fill_dataset(master, {.large_values = 24});
    fill_old_dataset(replica);
    wire("--slow 200mbit");
    slaveof(replica, master);
    wait_until(
        "some of it is read", [&] { return status_number(replica, "sync_read_bytes") > 8 * kMiB; },
        [&] { return describe_status(replica); });
    ASSERT_EQ(status(replica, "state"), "pulling");
  }

  ServerOptions options_;
};

/// From both ends of the wire.
long long counter(const std::string& name) {
  long long sum = 0;
  for (const auto& device : std::filesystem::directory_iterator("/sys/class/infiniband")) {
    std::ifstream in(device.path() / "ports/1/hw_counters" / name);
    long long value = 0;
    in >> value;
    sum += value;
  }
  return sum;
}

TEST_F(RdmaWireTest, ReadsCrossTheWire) {
  Server& master = start_verbs("master", options_);
  Server& replica = start_verbs("replica", options_);
  fill_dataset(master, {.large_values = 16});
  constexpr long long kPacketBytes = 4096;
  const long long before = counter("rcvd_pkts");
  slaveof(replica, master);
  wait_synced(replica, master);
  EXPECT_GE(counter("rcvd_pkts") - before, 64 * kMiB / kPacketBytes);
  EXPECT_EQ(status(replica, "fabric"), "verbs");
  EXPECT_TRUE(equal(master, replica));
}

TEST_F(RdmaWireTest, LostPacketsAreReadAgain) {
  Server& master = start_verbs("master", options_);
  Server& replica = start_verbs("replica", options_);
  fill_dataset(master, {.large_values = 8});
  const auto repeated = [] {
    return counter("completer_retry_err") + counter("rcvd_seq_err") + counter("duplicate_request");
  };
  const long long before = repeated();
  wire("--loss 1");
  slaveof(replica, master);
  wait_synced(replica, master);
  EXPECT_GT(repeated(), before);
  EXPECT_EQ(status(replica, "fabric"), "verbs");
  EXPECT_EQ(status(replica, "syncs_failed"), "0") << status(replica, "last_sync_error");
  EXPECT_TRUE(equal(master, replica));
}

/// One value takes longer than the master waits for a replica that is silent.
TEST_F(RdmaWireTest, ASlowReplicaIsNotASilentOne) {
  ServerOptions impatient = options_;
  impatient.config = {"rdmasync.replica-timeout 3"};
  Server& master = start_verbs("master", impatient);
  Server& replica = start_verbs("replica", options_);
  master.must("SET", "slow", random_bytes(1, 64 * kMiB));
  wire("--slow 100mbit");
  slaveof(replica, master);
  wait_synced(replica, master);
  EXPECT_EQ(status(replica, "syncs_failed"), "0") << status(replica, "last_sync_error");
  EXPECT_TRUE(equal(master, replica));
}

TEST_F(RdmaWireTest, CutInTheMiddle) {
  Server& master = start_verbs("master", options_);
  Server& replica = start_verbs("replica", options_);
  ASSERT_NO_FATAL_FAILURE(start_slow_sync(master, replica));
  wire("--cut");
  EXPECT_FALSE(wait_error(replica).empty());
  EXPECT_NE(status(replica, "state"), "synced");
  EXPECT_TRUE(has_old_dataset(replica));
  // Not even the retries have anything to read by.
  wait_export_gone(master);
  EXPECT_TRUE(has_old_dataset(replica));
  wire("--mend");
  slaveof(replica, master);
  wait_synced(replica, master);
  EXPECT_EQ(status(replica, "fabric"), "verbs");
  EXPECT_TRUE(equal(master, replica));
  EXPECT_TRUE(has_lost_old_dataset(replica));
  wait_export_gone(master);
}

/// As CutInTheMiddle, but the ports stay up: the packets vanish somewhere in the network.
TEST_F(RdmaWireTest, BlackHoleInTheMiddle) {
  Server& master = start_verbs("master", options_);
  Server& replica = start_verbs("replica", options_);
  ASSERT_NO_FATAL_FAILURE(start_slow_sync(master, replica));
  wire("--loss 100");
  EXPECT_FALSE(wait_error(replica).empty());
  EXPECT_TRUE(has_old_dataset(replica));
  wire("--mend");
  slaveof(replica, master);
  wait_synced(replica, master);
  EXPECT_TRUE(equal(master, replica));
  wait_export_gone(master);
}

/// The ways in which a master's device is there and out of reach: the options of the wire for that.
class UnreachableTest : public RdmaWireTest, public ::testing::WithParamInterface<const char*> {};
INSTANTIATE_TEST_SUITE_P(Wire, UnreachableTest,
                         ::testing::Values("--cut", "--loss 100", "--unroute"),
                         [](const auto& test) {
                           std::string name(test.param);
                           std::erase_if(name, [](char c) { return std::isalnum(c) == 0; });
                           return name;
                         });

TEST_P(UnreachableTest, CauseAndRemedyAreTold) {
  Server& master = start_verbs("master");
  Server& replica = start_verbs("replica");
  fill_dataset(master, {.large_values = 1});
  fill_old_dataset(replica);
  wire(GetParam());
  slaveof(replica, master);
  const std::string reason = wait_error(replica);
  EXPECT_TRUE(mentions(reason, address_on_wire()));
  EXPECT_TRUE(mentions(reason, "rdmasync.bind"));
  EXPECT_TRUE(mentions(reason, "rping"));
  EXPECT_EQ(reason.find('\n'), std::string::npos) << reason;
  EXPECT_TRUE(has_old_dataset(replica));
  wire("--mend");
  slaveof(replica, master);
  wait_synced(replica, master);
  EXPECT_EQ(status(replica, "fabric"), "verbs");
}

TEST_P(UnreachableTest, AutoTakesAnotherFabric) {
  ServerOptions options = with_args({}, "verbs");
  options.module_args[1] = "auto";
  Server& master = start_server("master", options);
  Server& replica = start_server("replica", options);
  fill_dataset(master, {.large_values = 1});
  wire(GetParam());
  slaveof(replica, master);
  wait_synced(replica, master);
  EXPECT_NE(status(replica, "fabric"), "verbs");
  EXPECT_EQ(status(replica, "syncs_failed"), "0") << status(replica, "last_sync_error");
  EXPECT_TRUE(mentions(replica.log(), "not verbs"));
  EXPECT_TRUE(mentions(replica.log(), "rdmasync.bind"));
  EXPECT_TRUE(equal(master, replica));
}

TEST_F(RdmaWireTest, MasterKilledInTheMiddle) {
  Server& master = start_verbs("master", options_);
  Server& replica = start_verbs("replica", options_);
  ASSERT_NO_FATAL_FAILURE(start_slow_sync(master, replica));
  master.kill();
  EXPECT_FALSE(wait_error(replica).empty());
  EXPECT_TRUE(has_old_dataset(replica));
}

TEST_F(RdmaWireTest, ReplicaKilledInTheMiddle) {
  Server& master = start_verbs("master", options_);
  Server& replica = start_verbs("replica", options_);
  ASSERT_NO_FATAL_FAILURE(start_slow_sync(master, replica));
  replica.kill();
  wait_export_gone(master);
  EXPECT_EQ(pinned_by_kernel(master), 0);
  EXPECT_EQ(master.must("SET", "still", "here").describe(), "+OK");
}

class NoDeviceTest : public SyncTest {
 protected:
  void SetUp() override {
    if (has_rdma_device()) {
      GTEST_SKIP() << "this machine has an RDMA device";
    }
  }
};

TEST_F(NoDeviceTest, CauseAndRemedyAreTold) {
  Server& master = start_server("master");
  Server& replica = start_server("replica", {.module_args = {"fabric", "verbs"}});
  fill_old_dataset(replica);
  slaveof(replica, master);
  const std::string reason = wait_error(replica);
  EXPECT_TRUE(mentions(reason, "RDMA device"));
  EXPECT_EQ(reason.find('\n'), std::string::npos) << reason;
  EXPECT_TRUE(has_old_dataset(replica));
}

TEST_F(NoDeviceTest, AutoNeedsNone) {
  Server& master = start_server("master");
  Server& replica = start_server("replica");
  fill_dataset(master);
  slaveof(replica, master);
  wait_synced(replica, master);
  EXPECT_NE(status(replica, "fabric"), "verbs");
  EXPECT_TRUE(equal(master, replica));
}

}  // namespace
}  // namespace rdmasync::test

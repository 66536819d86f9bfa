#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "harness/compare.h"
#include "tests/support/server.h"
#include "tests/support/wait.h"

namespace rdmasync::test {

/// Whether the string that a module gives to this server becomes the value itself. Valkey
/// since 8.1, and Redis since 8.2, copy its bytes, as the module holds it, too.
bool takes_strings_as_they_are(Server& server);

/// The fabrics to test: RDMASYNC_TEST_FABRICS, or all.
std::vector<std::string> fabrics();
bool has_rdma_device();
/// Options of the module that select a fabric. Over verbs a server that is a master lets itself be
/// read at RDMASYNC_TEST_RDMA_ADDRESS.
std::vector<std::string> fabric_args(const std::string& fabric);

/// Owns the servers of one test; shows their logs if it fails, and sees that none has crashed and
/// none was copied from by a native full sync.
class SyncTest : public ::testing::Test {
 protected:
  Server& start_server(const std::string& name, ServerOptions options = {});
  /// For SetUp(): there is nothing to read with.
  static void skip_unless_there(const std::string& fabric);
  void TearDown() override;
  /// So many native full syncs of each master are part of the test.
  void allow_native_full_syncs(int count) { native_full_syncs_ = count; }

 private:
  void expect_no_native_full_sync(Server& master) const;
  int native_full_syncs_ = 0;
  std::vector<std::unique_ptr<Server>> servers_;
};

/// A test that runs once per fabric: its servers load the module with that fabric.
class FabricTest : public SyncTest, public ::testing::WithParamInterface<std::string> {
 protected:
  void SetUp() override { skip_unless_there(fabric()); }
  static const std::string& fabric() { return GetParam(); }
  static ServerOptions with_fabric(ServerOptions options = {});
  Server& start_master(ServerOptions options = {});
  Server& start_replica(ServerOptions options = {});
  /// That takes long to load and looks at its clients meanwhile.
  Server& start_slow_replica(std::vector<std::string> config = {});
};

std::string fabric_name(const ::testing::TestParamInfo<std::string>& info);

/// Inside namespace rdmasync::test.
#define RDMASYNC_FOR_EACH_FABRIC(Suite) \
  INSTANTIATE_TEST_SUITE_P(Fabrics, Suite, ::testing::ValuesIn(fabrics()), fabric_name)

/// The same for what takes long, and in which the fabric has no part.
#define RDMASYNC_FOR_ONE_FABRIC(Suite) \
  INSTANTIATE_TEST_SUITE_P(Fabrics, Suite, ::testing::Values(fabrics().front()), fabric_name)

/// RDMASYNC.STATUS, as text.
Fields status(Server& server);
std::string status(Server& server, const std::string& field);
long long status_number(Server& server, const std::string& field);
std::string describe_status(Server& server);

/// A command that makes a replica another server's, or nobody's, as soon as it does not load:
/// expects +OK, with or without a remark.
void turn(Server& replica, const Command& command);
/// RDMASYNC.SLAVEOF.
void slaveof(Server& replica, const Server& master);
void slaveof_no_one(Server& replica);

/// The link is up, natively, to the real master, and the module says so too.
void wait_synced(Server& replica, Server& master);
void wait_state(Server& replica, const std::string& state);
/// Its syncs stop when they come to that state, until pause_at(replica, "none").
void pause_at(Server& replica, const std::string& state);
/// The sync has given up at least once and says why.
std::string wait_error(Server& replica);
/// Seen in the log, that it has begun to load.
void wait_loading(const Server& replica);
/// The sync that was stopped has put this server back.
void wait_settled(Server& replica);
/// The server follows this master natively, and the link is up.
void wait_link_up(Server& below, const Server& above);

/// Letters of either case.
::testing::AssertionResult mentions(const std::string& text, const std::string& what);

/// The master has nothing left of any export: no replica, no registered memory.
void wait_export_gone(Server& master);

/// After writers have stopped: waits for equal offsets, then compares everything.
::testing::AssertionResult equal(Server& master, Server& replica, CompareOptions options = {});

}  // namespace rdmasync::test

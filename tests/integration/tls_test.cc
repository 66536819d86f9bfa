// TLS is not spoken: whoever asks for it is told so, and plain connections work beside it.

#include <cstdlib>
#include <filesystem>

#include "harness/sync_test.h"
#include "tests/support/dataset.h"

namespace rdmasync::test {
namespace {

class TlsTest : public SyncTest {
 protected:
  void SetUp() override {
    const std::string make =
        "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=test -out " + certificate() +
        " -keyout " + key() + " 2>/dev/null";
    ASSERT_EQ(std::system(make.c_str()), 0) << make;
  }
  void TearDown() override {
    SyncTest::TearDown();
    std::filesystem::remove_all(directory_);
  }

  std::string certificate() const { return (directory_ / "certificate").string(); }
  std::string key() const { return (directory_ / "key").string(); }

  ServerOptions with_certificate(std::vector<std::string> config = {}) const {
    config.insert(config.end(), {"tls-cert-file " + certificate(), "tls-key-file " + key(),
                                 "tls-ca-cert-file " + certificate(), "tls-auth-clients no"});
    return {.config = std::move(config), .module_args = fabric_args("cma")};
  }

  /// Has it listen for TLS, too.
  static int open_tls_port(Server& server) {
    constexpr int kLast = 32000;
    for (int port = server.port() + 1; port < kLast; port++) {
      if (!server.command("CONFIG", "SET", "tls-port", port).is_error()) {
        return port;
      }
    }
    throw std::runtime_error("no port is free for TLS");
  }

 private:
  std::filesystem::path directory_ = [] {
    std::string path = (std::filesystem::temp_directory_path() / "rdmasync-tls-XXXXXX").string();
    return std::filesystem::path(mkdtemp(path.data()));
  }();
};

TEST_F(TlsTest, TheMastersTlsPortIsToldFromItsPort) {
  Server& master = start_server("master", with_certificate());
  Server& replica = start_server("replica", {.module_args = fabric_args("cma")});
  fill_dataset(master);
  fill_old_dataset(replica);
  const int tls_port = open_tls_port(master);
  replica.must("RDMASYNC.SLAVEOF", master.host(), tls_port);
  const std::string error = wait_error(replica);
  EXPECT_NE(error.find("TLS"), std::string::npos) << error;
  EXPECT_TRUE(has_old_dataset(replica));
  slaveof(replica, master);
  wait_synced(replica, master);
  EXPECT_TRUE(equal(master, replica));
}

TEST_F(TlsTest, AReplicaThatReplicatesOverTlsRefuses) {
  Server& master = start_server("master", with_certificate());
  Server& replica = start_server("replica", with_certificate({"tls-replication yes"}));
  fill_dataset(master);
  fill_old_dataset(replica);
  const int tls_port = open_tls_port(master);
  for (const int port : {master.port(), tls_port}) {
    const Reply reply = replica.command("RDMASYNC.SLAVEOF", master.host(), port);
    EXPECT_TRUE(reply.is_error());
    EXPECT_NE(reply.text.find("tls-replication no"), std::string::npos) << reply.text;
  }
  EXPECT_TRUE(has_old_dataset(replica));
  replica.must("CONFIG", "SET", "tls-replication", "no");
  slaveof(replica, master);
  wait_synced(replica, master);
  EXPECT_TRUE(equal(master, replica));
}

}  // namespace
}  // namespace rdmasync::test

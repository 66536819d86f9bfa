// Passwords and users: Redis's own masterauth and masteruser are all there is to set.

#include "harness/sync_test.h"
#include "tests/support/dataset.h"

namespace rdmasync::test {
namespace {

class AuthTest : public FabricTest {};
RDMASYNC_FOR_EACH_FABRIC(AuthTest);

TEST_P(AuthTest, PasswordOnTheMaster) {
  Server& master = start_master({.config = {"requirepass secret"}, .password = "secret"});
  Server& replica = start_replica({.config = {"masterauth secret"}});
  fill_dataset(master);
  slaveof(replica, master);
  wait_synced(replica, master);
  EXPECT_TRUE(equal(master, replica));
}

TEST_P(AuthTest, DifferentPasswordsOnBoth) {
  Server& master = start_master({.config = {"requirepass secret"}, .password = "secret"});
  Server& replica =
      start_replica({.config = {"requirepass other", "masterauth secret"}, .password = "other"});
  fill_dataset(master);
  slaveof(replica, master);
  wait_synced(replica, master);
  EXPECT_TRUE(equal(master, replica));
}

/// What the manual says a replica's user needs, and the module's own command.
TEST_P(AuthTest, UserForTheReplica) {
  Server& master =
      start_master({.config = {"user default on >secret ~* &* +@all",
                               "user sync on >word +psync +replconf +ping +rdmasync.export"},
                    .password = "secret"});
  Server& replica = start_replica({.config = {"masteruser sync", "masterauth word"}});
  fill_dataset(master);
  slaveof(replica, master);
  wait_synced(replica, master);
  EXPECT_TRUE(equal(master, replica));
  EXPECT_EQ(replica.config("masteruser"), "sync");
  EXPECT_EQ(replica.config("masterauth"), "word");
}

TEST_P(AuthTest, PasswordWithSpacesAndBinaryBytes) {
  const std::string password("a \"b\"\n\0c", 8);
  Server& master = start_master();
  Server& replica = start_replica();
  fill_dataset(master);
  master.must("CONFIG", "SET", "requirepass", password);
  master.options().password = password;
  replica.must("CONFIG", "SET", "masterauth", password);
  slaveof(replica, master);
  wait_synced(replica, master);
  EXPECT_TRUE(equal(master, replica));
}

TEST_P(AuthTest, WrongPasswordIsTold) {
  Server& master = start_master({.config = {"requirepass secret"}, .password = "secret"});
  Server& replica = start_replica({.config = {"masterauth wrong"}});
  fill_dataset(master);
  fill_old_dataset(replica);
  slaveof(replica, master);
  EXPECT_NE(wait_error(replica).find("WRONGPASS"), std::string::npos)
      << status(replica, "last_sync_error");
  EXPECT_TRUE(has_old_dataset(replica));
  // The retry takes the right one.
  replica.must("CONFIG", "SET", "masterauth", "secret");
  wait_synced(replica, master);
  EXPECT_TRUE(equal(master, replica));
}

TEST_P(AuthTest, MissingPasswordIsTold) {
  Server& master = start_master({.config = {"requirepass secret"}, .password = "secret"});
  Server& replica = start_replica();
  fill_old_dataset(replica);
  slaveof(replica, master);
  EXPECT_NE(wait_error(replica).find("masterauth"), std::string::npos)
      << status(replica, "last_sync_error");
  EXPECT_TRUE(has_old_dataset(replica));
}

TEST_P(AuthTest, UserWithoutThePermissionIsTold) {
  Server& master = start_master({.config = {"user default on >secret ~* &* +@all",
                                            "user sync on >word +psync +replconf +ping"},
                                 .password = "secret"});
  Server& replica = start_replica({.config = {"masteruser sync", "masterauth word"}});
  fill_old_dataset(replica);
  slaveof(replica, master);
  EXPECT_NE(wait_error(replica).find("NOPERM"), std::string::npos)
      << status(replica, "last_sync_error");
  EXPECT_TRUE(has_old_dataset(replica));
}

}  // namespace
}  // namespace rdmasync::test

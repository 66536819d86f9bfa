// One kind of heavy write at a time, through the whole sync, on a master that keeps next to no
// backlog. RDMASYNC_ELEMENTS sets the size of the large collections.

#include <atomic>
#include <cstdlib>
#include <exception>
#include <functional>
#include <iostream>
#include <thread>

#include "harness/sync_test.h"
#include "tests/support/dataset.h"

namespace rdmasync::test {
namespace {

/// A connection that sends commands as fast as they are answered, some in advance.
class Load {
 public:
  using Make = std::function<Command(std::uint64_t number)>;

  Load(Server& server, Make make)
      : client_(server.connect()), make_(std::move(make)), thread_([this] { run(); }) {}
  ~Load() { join(); }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  void wait(std::uint64_t more) {
    const std::uint64_t enough = done_ + more;
    wait_until("more is written", [&] { return done_ >= enough || ended_; });
  }
  /// Throws what has ended it before.
  void stop() {
    join();
    if (failure_) {
      std::rethrow_exception(failure_);
    }
  }

 private:
  static constexpr std::uint64_t kAhead = 16;

  void join() {
    stopping_ = true;
    if (thread_.joinable()) {
      thread_.join();
    }
  }
  void run() {
    try {
      std::uint64_t sent = 0;
      while (!stopping_) {
        while (sent < done_ + kAhead) {
          client_.send(make_(sent++));
        }
        receive();
      }
      while (done_ < sent) {
        receive();
      }
    } catch (...) {
      failure_ = std::current_exception();
    }
    ended_ = true;
  }
  void receive() {
    if (const Reply reply = client_.receive(); reply.is_error()) {
      throw ErrorReply(reply.text);
    }
    done_++;
  }

  Client client_;
  Make make_;
  std::atomic<std::uint64_t> done_{0};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> ended_{false};
  std::exception_ptr failure_;
  std::thread thread_;
};

std::string small_key(std::uint64_t i) {
  return "small:" + std::to_string(i);
}

class HeavyWritesTest : public FabricTest {
 protected:
  Server& start_busy_master(std::vector<std::string> config = {}) {
    config.insert(config.end(), {"repl-backlog-size 16kb", "hz 100"});
    return start_master({.config = std::move(config)});
  }

  static void fill(Server& server, std::uint64_t small, int large) {
    Pipeline pipeline(server.client());
    for (std::uint64_t i = 0; i < small; i++) {
      pipeline.add("SET", small_key(i), i);
    }
    for (int i = 0; i < large; i++) {
      pipeline.add("SET", "large:" + std::to_string(i), random_bytes(i, kLarge));
    }
    pipeline.finish();
  }

  /// Syncs under the load, twice: the second time onto the dataset of the first.
  static void sync_under(Load& load, Server& master, Server& replica) {
    load.wait(20);
    slaveof(replica, master);
    wait_synced(replica, master);
    slaveof_no_one(replica);
    load.wait(20);
    slaveof(replica, master);
    wait_synced(replica, master);
    load.wait(20);
    load.stop();
    EXPECT_TRUE(equal(master, replica));
    EXPECT_EQ(status(replica, "syncs_failed"), "0") << status(replica, "last_sync_error");
    EXPECT_EQ(master.info("stats", "total_forks"), "0");
  }

  static Load::Make write_many_keys(std::uint64_t keys) {
    return [keys](std::uint64_t number) {
      Command command = {"MSET"};
      for (std::uint64_t i = 0; i < keys; i++) {
        command.insert(command.end(), {small_key(i), std::to_string(number)});
      }
      return command;
    };
  }

  static constexpr std::size_t kLarge = 1 << 20;
};
RDMASYNC_FOR_EACH_FABRIC(HeavyWritesTest);

TEST_P(HeavyWritesTest, RoundsConverge) {
  Server& master = start_busy_master();
  Server& replica = start_replica();
  fill(master, 5000, 0);
  pause_at(replica, "cutting");
  slaveof(replica, master);
  wait_state(replica, "cutting");
  for (std::uint64_t i = 0; i < 3000; i++) {
    master.must("SET", small_key(i), "later");
  }
  pause_at(replica, "none");
  wait_synced(replica, master);
  EXPECT_EQ(status(replica, "sync_rounds"), "2");
  EXPECT_EQ(status(replica, "last_sync_cut_forced"), "0");
  EXPECT_EQ(status(replica, "last_sync_cut_keys"), "0");
  EXPECT_TRUE(equal(master, replica));
}

TEST_P(HeavyWritesTest, RoundsThatDoNotConvergeEndInACutAllTheSame) {
  Server& master = start_busy_master({"rdmasync.max-rounds 1"});
  Server& replica = start_replica();
  fill(master, 5000, 0);
  Load load(master, write_many_keys(2000));
  Load more(master, write_many_keys(2000));
  load.wait(20);
  // A writer may be out of step with one cut.
  for (int tries = 0; tries < 5 && status(replica, "last_sync_cut_forced") != "1"; tries++) {
    slaveof_no_one(replica);
    slaveof(replica, master);
    wait_synced(replica, master);
  }
  EXPECT_EQ(status(replica, "last_sync_cut_forced"), "1");
  EXPECT_GE(status_number(replica, "last_sync_cut_keys"), 2000);
  EXPECT_GT(status_number(replica, "last_sync_cut_us"), 0);
  EXPECT_GE(status_number(master, "cut_max_us"), status_number(replica, "last_sync_cut_us"));
  EXPECT_NE(replica.log().find("written faster than it was read"), std::string::npos);
  EXPECT_NE(master.log().find("does not converge"), std::string::npos);
  load.stop();
  more.stop();
  EXPECT_TRUE(equal(master, replica));
}

TEST_P(HeavyWritesTest, ACutThatWouldTakeTooLongFails) {
  Server& master = start_busy_master({"rdmasync.max-rounds 1", "rdmasync.cut-max-ms 1"});
  Server& replica = start_replica();
  fill(master, 20000, 0);
  fill_old_dataset(replica);
  Load load(master, write_many_keys(10000));
  load.wait(20);
  slaveof(replica, master);
  const std::string error = wait_error(replica);
  EXPECT_NE(error.find("rdmasync.cut-max-ms (1)"), std::string::npos) << error;
  EXPECT_NE(error.find("keys are left"), std::string::npos) << error;
  EXPECT_TRUE(has_old_dataset(replica));
  master.must("CONFIG", "SET", "rdmasync.cut-max-ms", 60000);
  wait_synced(replica, master);  // by the retry
  load.stop();
  EXPECT_TRUE(equal(master, replica));
}

/// It takes long in one piece, and is not to go in parts: what it took before is known.
TEST_P(HeavyWritesTest, ACollectionThatWouldTakeTooLongFailsTheCutAsLongAsItIsHot) {
  Server& master = start_busy_master(
      {"rdmasync.max-rounds 2", "rdmasync.cut-max-ms 5", "rdmasync.part-elements 1000000"});
  Server& replica = start_replica();
  Pipeline pipeline(master.client());
  for (int i = 0; i < 100000; i++) {
    pipeline.add("HSET", "hot", "field:" + std::to_string(i), random_bytes(i, 20));
  }
  pipeline.finish();
  Load load(master, [](std::uint64_t number) -> Command {
    return {"HSET", "hot", "field:" + std::to_string(number % 1000), std::to_string(number)};
  });
  // Held before every cut until it is hot again.
  pause_at(replica, "cutting");
  slaveof(replica, master);
  const auto wait_until_failed_or = [&](const std::string& state) {
    wait_until("the replica is " + state + " or has failed", [&] {
      return status(replica, "state") == state || !status(replica, "last_sync_error").empty();
    });
  };
  while (status(replica, "last_sync_error").empty()) {
    wait_until_failed_or("cutting");
    load.wait(20);
    pause_at(replica, "pulling");
    wait_until_failed_or("pulling");
    pause_at(replica, "cutting");
  }
  const std::string error = wait_error(replica);
  EXPECT_NE(error.find("copying 'hot' of database 0 alone takes"), std::string::npos) << error;
  load.stop();
  pause_at(replica, "none");
  wait_synced(replica, master);  // by the retry
  EXPECT_TRUE(equal(master, replica));
}

/// Commands that do not name its elements keep it dirty: it is copied as a whole, and that is told.
TEST_P(HeavyWritesTest, ALargeCollectionThatIsAlwaysDirtyAsAWhole) {
  Server& master = start_busy_master({"rdmasync.max-rounds 2", "rdmasync.part-elements 100"});
  Server& replica = start_replica();
  Pipeline pipeline(master.client());
  for (int i = 0; i < 5000; i++) {
    pipeline.add("ZADD", "hot", i, "member:" + std::to_string(i));
  }
  pipeline.finish();
  Load load(master, [](std::uint64_t number) -> Command {
    return number % 2 == 0 ? Command{"ZPOPMIN", "hot"}
                           : Command{"ZADD", "hot", std::to_string(number), std::to_string(number)};
  });
  load.wait(20);
  pause_at(replica, "cutting");
  slaveof(replica, master);
  // Held before every cut until it is hot again.
  const auto wait_until_synced_or = [&](const std::string& state) {
    wait_until("the replica is " + state + " or synced", [&] {
      return status(replica, "state") == state || status(replica, "syncs_ok") == "1";
    });
  };
  while (status(replica, "syncs_ok") != "1") {
    wait_until_synced_or("cutting");
    load.wait(20);
    pause_at(replica, "pulling");
    wait_until_synced_or("pulling");
    pause_at(replica, "cutting");
  }
  load.stop();
  EXPECT_EQ(status_number(master, "export_whole_in_cut"), 1);
  const std::string log = master.log();
  EXPECT_NE(log.find("copies 'hot' of database 0 as a whole at the cut"), std::string::npos);
  EXPECT_NE(log.find("as a write by zpopmin did not tell of which elements"), std::string::npos);
  pause_at(replica, "none");
  wait_synced(replica, master);
  EXPECT_TRUE(equal(master, replica));
}

/// DUMP takes time that grows with the collection, in one piece: once a round and once a cut.
TEST_P(HeavyWritesTest, HotLargeCollectionsAreDumpedOnceARound) {
  Server& master = start_busy_master({"rdmasync.part-elements 1000000"});
  Server& replica = start_replica();
  const char* wanted = std::getenv("RDMASYNC_ELEMENTS");
  const int elements = wanted != nullptr ? std::atoi(wanted) : 50000;
  Pipeline pipeline(master.client());
  pipeline.add("XGROUP", "CREATE", "stream", "readers", "0", "MKSTREAM");
  for (int i = 0; i < elements; i++) {
    pipeline.add("ZADD", "zset", random_bytes(i, 4).at(0) * i, "member:" + std::to_string(i));
    pipeline.add("XADD", "stream", "*", "field", "value:" + std::to_string(i));
  }
  for (int i = 0; i < 20000; i++) {
    pipeline.add("SET", "small:" + std::to_string(i), i);
  }
  pipeline.finish();
  Load load(master, [elements](std::uint64_t number) -> Command {
    switch (number % 4) {
      case 0:
        return {"ZINCRBY", "zset", "1", "member:" + std::to_string(number % elements)};
      case 1:
        return {"XADD", "stream", "*", "field", std::to_string(number)};
      case 2:
        return {"XREADGROUP", "GROUP", "readers", "c", "COUNT", "1", "STREAMS", "stream", ">"};
      default:
        return {"SET", "small:" + std::to_string(number % 20000), std::to_string(number)};
    }
  });
  load.wait(100);
  master.must("CONFIG", "RESETSTAT");
  slaveof(replica, master);
  wait_synced(replica, master);
  const std::string dumps = master.info("commandstats", "cmdstat_dump");
  load.stop();
  const long long calls = std::stoll(dumps.substr(dumps.find('=') + 1));
  const long long rounds = status_number(replica, "sync_rounds");
  EXPECT_LE(calls, 2 * (rounds + 1)) << dumps;
  std::cout << "DUMP: " << dumps << "; rounds: " << rounds
            << "; cut: " << status(replica, "last_sync_cut_us")
            << " us; longest slice: " << status(master, "slice_max_us") << " us\n";
  EXPECT_TRUE(equal(master, replica));
}

TEST_P(HeavyWritesTest, EveryKeyIsOverwritten) {
  Server& master = start_busy_master();
  Server& replica = start_replica();
  constexpr std::uint64_t kSmall = 20000;
  fill(master, kSmall, 16);
  Load load(master, [](std::uint64_t number) -> Command {
    if (number % 50 == 0) {
      return {"SET", "large:" + std::to_string(number / 50 % 16), random_bytes(number, kLarge)};
    }
    Command command = {"MSET"};
    for (std::uint64_t i = 0; i < 200; i++) {
      const auto at = (number * 200 + i) % kSmall;
      command.insert(command.end(), {small_key(at), std::to_string(number)});
    }
    return command;
  });
  sync_under(load, master, replica);
}

TEST_P(HeavyWritesTest, MostKeysAreDeleted) {
  Server& master = start_busy_master();
  Server& replica = start_replica();
  constexpr std::uint64_t kSmall = 40000;
  fill(master, kSmall, 16);
  Load load(master, [](std::uint64_t number) -> Command {
    const auto kind = number % 20;
    if (kind == 0) {
      return {"SET", "large:" + std::to_string(number % 16), random_bytes(1, kLarge)};
    }
    if (kind == 1) {
      return {"UNLINK", "large:" + std::to_string(number / 20 % 16)};
    }
    if (kind == 2) {
      return {"SET", small_key(number % kSmall), "again"};
    }
    Command command = {kind % 2 == 0 ? "DEL" : "UNLINK"};
    for (std::uint64_t i = 0; i < 20; i++) {
      command.push_back(small_key((number * 20 + i) % kSmall));
    }
    return command;
  });
  sync_under(load, master, replica);
}

TEST_P(HeavyWritesTest, KeysExpire) {
  Server& master = start_busy_master();
  Server& replica = start_replica();
  constexpr std::uint64_t kSmall = 20000;
  fill(master, kSmall, 8);
  Load load(master, [](std::uint64_t number) -> Command {
    const std::string life = std::to_string(1 + number % 150);
    const auto key = small_key(number * 7 % kSmall);
    switch (number % 8) {
      case 0:
        return {"PEXPIRE", "large:" + std::to_string(number % 8), life};
      case 1:
        return {"GET", key};
      case 2:
        return {"GETEX", key, "PX", life};
      case 3:
        return {"SET", "large:" + std::to_string(number / 8 % 8), random_bytes(number, kLarge / 8),
                "PX", life};
      default:
        return {"SET", key, std::to_string(number), "PX", life};
    }
  });
  sync_under(load, master, replica);
  EXPECT_NE(master.info("stats", "expired_keys"), "0");
}

/// It counts its backlog as data: were that to grow for a replica's sake and the limit not, every
/// key would be evicted, and then writes be refused.
TEST_P(HeavyWritesTest, TheMasterEvicts) {
  Server& master = start_busy_master({"maxmemory 48mb", "maxmemory-policy allkeys-lru"});
  Server& replica = start_replica({.config = {"maxmemory 48mb", "maxmemory-policy allkeys-lru"}});
  // Not more than a replica can follow.
  Load load(master, [](std::uint64_t number) -> Command {
    const std::string key = "k:" + std::to_string(number / 20 % 5000);
    if (number % 50 != 0) {
      return {"GET", key};
    }
    return {"SET", key, random_bytes(number, 50000 + number % 40000)};
  });
  wait_until("the master evicts", [&] { return master.info("stats", "evicted_keys") != "0"; });
  sync_under(load, master, replica);
  wait_until("the settings held for the replica are put back", [&] {
    return master.config("maxmemory") == std::to_string(48 << 20) &&
           master.config("repl-backlog-size") == std::to_string(16 << 10);
  });
}

/// More was written while the replica loaded than the master holds for it.
TEST_P(HeavyWritesTest, ABacklogThatDoesNotLastEndsTheSyncAndInNoFullSync) {
  Server& master = start_busy_master();
  Server& replica = start_replica();
  fill(master, 1000, 1);
  pause_at(replica, "continuing");
  slaveof(replica, master);
  wait_state(replica, "continuing");
  constexpr int kBeyondTheHeldBacklog = 300;
  for (int i = 0; i < kBeyondTheHeldBacklog; i++) {
    master.must("SET", "large:0", random_bytes(i, kLarge));
  }
  pause_at(replica, "none");
  EXPECT_NE(wait_error(replica).find("backlog did not last"), std::string::npos);
  wait_synced(replica, master);  // by the retry
  EXPECT_EQ(master.info("stats", "total_forks"), "0");
  EXPECT_TRUE(equal(master, replica));
}

TEST_P(HeavyWritesTest, HotLargeValues) {
  Server& master = start_busy_master();
  Server& replica = start_replica();
  constexpr std::size_t kHot = 4 << 20;
  for (int i = 0; i < 8; i++) {
    master.must("SET", "hot:" + std::to_string(i), random_bytes(i, kHot));
  }
  Load load(master, [](std::uint64_t number) -> Command {
    const std::string key = "hot:" + std::to_string(number % 8);
    switch (number % 20) {
      case 0:
        return {"SET", key, random_bytes(number, kHot)};
      case 1:
        return {"APPEND", key, random_bytes(number, 1000)};
      case 2:
        return {"RENAME", key, "hot:" + std::to_string((number + 1) % 8)};
      case 3:
        return {"COPY", "hot:1", key, "REPLACE"};
      default:
        return {"SETRANGE", key, std::to_string(number * 4096 % kHot), random_bytes(number, 100)};
    }
  });
  sync_under(load, master, replica);
}

}  // namespace
}  // namespace rdmasync::test

// Who else looks at a replica or a master during a sync: each must see what Redis's own full sync
// shows. So every test does all.

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <set>
#include <sstream>
#include <thread>

#include "harness/sync_test.h"
#include "tests/support/dataset.h"

namespace rdmasync::test {
namespace {

enum class Way { kNative, kSlaveof, kReplicaof };
constexpr std::array kWays = {Way::kNative, Way::kSlaveof, Way::kReplicaof};
constexpr int kKeys = 3000;

class WatchersTest : public FabricTest {
 protected:
  static void start_sync(Way way, Server& replica, Server& master) {
    if (way == Way::kNative) {
      // Which of its ways to load is Redis's own choice; this is the one that rdmasync takes.
      replica.must("CONFIG", "SET", "repl-diskless-load", "swapdb");
      replica.must("CONFIG", "SET", "rdmasync.accelerate", "no");
      replica.must("REPLICAOF", master.host(), master.port());
    } else if (way == Way::kSlaveof) {
      slaveof(replica, master);
    } else {
      replica.must("REPLICAOF", master.host(), master.port());
    }
  }
  static void wait_end(Way way, Server& replica, Server& master) {
    if (way != Way::kNative) {
      return wait_synced(replica, master);
    }
    wait_until("the native sync is over",
               [&] { return replica.info("replication", "master_link_status") == "up"; });
  }

  Server& start_filled_master() {
    Server& master = start_master({.config = {"repl-diskless-sync-delay 0"}});
    Pipeline pipeline(master.client());
    for (int i = 0; i < kKeys; i++) {
      pipeline.add("SET", "new:" + std::to_string(i), i);
    }
    pipeline.add("SET", "large", random_bytes(1, 1 << 20));
    pipeline.add("SELECT", 3);
    pipeline.add("SET", "new:elsewhere", 1);
    pipeline.add("SELECT", 0);
    pipeline.finish();
    return master;
  }

  static bool is_loading(Server& replica) { return replica.info("persistence", "loading") == "1"; }
};
RDMASYNC_FOR_EACH_FABRIC(WatchersTest);

/// What arrives on a subscriber's connection.
class Subscriber {
 public:
  Subscriber(Server& server, const Command& subscribe)
      : server_(server), client_(server.connect()), id_(client_.must("CLIENT", "ID").number) {
    client_.checked(subscribe);
    client_.checked({"SUBSCRIBE", "end"});
  }
  long long id() const { return id_; }
  std::vector<std::string> messages() {
    server_.must("PUBLISH", "end", "");
    std::vector<std::string> all;
    for (;;) {
      const Reply message = client_.receive();
      const auto& words = message.elements;
      if (words.at(words.size() - 2).text == "end") {
        return all;
      }
      all.push_back(words.at(words.size() - 2).text + " " + words.back().describe());
    }
  }

 private:
  Server& server_;
  Client client_;
  long long id_;
};

/// With repetitions of one thing taken for one.
std::vector<std::string> distinct(std::vector<std::string> all) {
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

struct Seen {
  std::vector<std::string> notifications;
  std::vector<std::string> invalidations;
  std::string transaction;
  std::vector<std::string> events;
  std::string last_link_event;
  bool operator==(const Seen&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Seen& seen) {
  for (const auto* list : {&seen.notifications, &seen.invalidations, &seen.events}) {
    out << "\n  [";
    for (const std::string& item : *list) {
      out << item << ", ";
    }
    out << "]";
  }
  return out << "\n  EXEC: " << seen.transaction << ", link: " << seen.last_link_event;
}

TEST_P(WatchersTest, NotificationsTrackingWatchAndModuleEvents) {
  std::vector<Seen> all;
  for (const Way way : kWays) {
    Server& master = start_filled_master();
    Server& replica = start_replica();
    fill_old_dataset(replica);
    replica.must("SET", "mine", "old");
    replica.must("CONFIG", "SET", "notify-keyspace-events", "KEA");

    Subscriber notified(replica, {"PSUBSCRIBE", "__key*__:*"});
    Subscriber invalidated(replica, {"SUBSCRIBE", "__redis__:invalidate"});
    Client tracking = replica.connect();
    tracking.must("CLIENT", "TRACKING", "ON", "REDIRECT", invalidated.id());
    tracking.must("GET", "mine");
    Client watching = replica.connect();
    watching.must("WATCH", "mine");
    replica.must("TESTTYPE.EVENTS");

    start_sync(way, replica, master);
    wait_end(way, replica, master);
    master.must("SET", "after", "the sync");
    wait_offsets_equal(master, replica);

    Seen seen;
    seen.notifications = notified.messages();
    seen.invalidations = distinct(invalidated.messages());
    watching.must("MULTI");
    watching.must("GET", "large");
    const Reply result = watching.must("EXEC");
    seen.transaction = result.is_nil() ? "aborted" : "run";
    std::istringstream words(replica.must("TESTTYPE.EVENTS").text);
    for (std::string word; words >> word;) {
      if (word.starts_with("link")) {
        seen.last_link_event = word;
      } else {
        seen.events.push_back(word);
      }
    }
    all.push_back(seen);
    EXPECT_TRUE(equal(master, replica));
  }
  EXPECT_EQ(all.at(0), all.at(1));
  EXPECT_EQ(all.at(0), all.at(2));
  EXPECT_FALSE(all.at(0).invalidations.empty());
  EXPECT_FALSE(all.at(0).notifications.empty());
  EXPECT_FALSE(all.at(0).events.empty());
}

/// Every command that may not run while a server loads.
TEST_P(WatchersTest, LoadingIsAllThatALoadingReplicaSays) {
  for (const Way way : kWays) {
    Server& master = start_filled_master();
    Server& replica = start_slow_replica();
    // Much is asked meanwhile. That setting slows the server's own loader only.
    replica.must("CONFIG", "SET", "key-load-delay", 1000);
    if (way != Way::kNative) {
      constexpr int kMany = 500'000;
      master.must("DEBUG", "POPULATE", kMany);
    }
    fill_old_dataset(replica);
    std::vector<Command> commands;
    constexpr std::size_t kArity = 1;
    constexpr std::size_t kFlags = 2;
    for (const Reply& known : replica.must("COMMAND").elements) {
      const auto& flags = known.elements.at(kFlags).elements;
      const bool allowed = std::any_of(flags.begin(), flags.end(),
                                       [](const Reply& flag) { return flag.text == "loading"; });
      const auto words = static_cast<std::size_t>(std::abs(known.elements.at(kArity).number));
      // With subcommands it is these that are allowed, or not.
      if (allowed || !known.elements.at(9).elements.empty()) {
        continue;
      }
      Command command = {known.elements.at(0).text};
      command.resize(words, "1");
      commands.push_back(command);
    }
    EXPECT_GT(commands.size(), 150U);
    Client client = replica.connect();
    start_sync(way, replica, master);
    wait_loading(replica);
    const std::vector<Reply> replies = run_all(client, commands);
    // The master counts no replica that has not loaded.
    Client writer = master.connect();
    writer.must("SET", "meanwhile", 1);
    EXPECT_EQ(writer.must("WAIT", 1, 20).number, 0);
    ASSERT_TRUE(is_loading(replica)) << "too quick for this test";
    for (std::size_t i = 0; i < commands.size(); i++) {
      // That it is a replica is found out first.
      const std::string& text = replies[i].text;
      EXPECT_TRUE(replies[i].is_error() &&
                  (text.starts_with("LOADING") || text.starts_with("READONLY")))
          << commands[i].at(0) << ": " << replies[i].describe();
    }
    wait_end(way, replica, master);
    constexpr int kLongMs = 60000;
    EXPECT_EQ(writer.must("WAIT", 1, kLongMs).number, 1);
    EXPECT_EQ(digest(replica), digest(master));
  }
}

/// A client that asks all the time, on the replica and on one below it, finds the old dataset, the
/// new one, or a refusal.
TEST_P(WatchersTest, NobodySeesHalfOfADataset) {
  allow_native_full_syncs(1);
  for (const char* stale : {"yes", "no"}) {
    SCOPED_TRACE(std::string("replica-serve-stale-data ") + stale);
    Server& master = start_filled_master();
    Server& replica = start_slow_replica({std::string("replica-serve-stale-data ") + stale});
    Server& below = start_server("sub-replica", with_fabric());
    fill_old_dataset(replica);
    below.must("REPLICAOF", replica.host(), replica.port());
    wait_until("the sub-replica follows", [&] { return has_old_dataset(below); });
    for (int i = 0; i < 77; i++) {
      replica.must("SET", "mine:" + std::to_string(i), i);
    }
    wait_until("the sub-replica has these, too", [&] { return below.must("DBSIZE").number == 77; });
    const auto old_size = replica.must("DBSIZE").number;
    const auto new_size = master.must("DBSIZE").number;

    std::set<std::string> answers;
    std::atomic<bool> stopping{false};
    std::vector<std::thread> askers;
    std::mutex mutex;
    for (Server* server : {&replica, &below}) {
      askers.emplace_back([&, server, client = server->connect()]() mutable {
        while (!stopping) {
          const Reply reply = client.run({"DBSIZE"});
          const std::string text =
              reply.is_error() ? reply.text.substr(0, reply.text.find(' ')) : reply.describe();
          const std::lock_guard lock(mutex);
          answers.insert(server->name() + ": " + text);
        }
      });
    }
    slaveof(replica, master);
    wait_synced(replica, master);
    wait_until("the sub-replica has it, too", [&] {
      return below.info("replication", "master_link_status") == "up" &&
             below.must("DBSIZE").number == new_size;
    });
    stopping = true;
    for (std::thread& asker : askers) {
      asker.join();
    }
    std::erase_if(answers, [&](const std::string& answer) {
      return answer.ends_with(": " + std::to_string(old_size)) ||
             answer.ends_with(": " + std::to_string(new_size)) || answer.ends_with("LOADING") ||
             answer.ends_with("MASTERDOWN");
    });
    EXPECT_TRUE(answers.empty()) << *answers.begin();
    EXPECT_TRUE(equal(master, replica));
  }
}

TEST_P(WatchersTest, AMasterThatWantsReplicasTakesWritesOnceThereIsOne) {
  for (const Way way : kWays) {
    Server& master = start_filled_master();
    Server& replica = start_replica();
    master.must("CONFIG", "SET", "min-replicas-to-write", 1);
    EXPECT_TRUE(master.command("SET", "too", "early").text.starts_with("NOREPLICAS"));
    start_sync(way, replica, master);
    wait_end(way, replica, master);
    wait_until("the master takes writes",
               [&] { return !master.command("SET", "k", 1).is_error(); });
    EXPECT_TRUE(equal(master, replica));
    EXPECT_TRUE(replica.must("GET", "too").is_nil());
  }
}

}  // namespace
}  // namespace rdmasync::test

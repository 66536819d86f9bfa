// Servers in cluster mode: three masters with a replica each.

#include <array>
#include <atomic>
#include <functional>
#include <iostream>
#include <sstream>
#include <thread>

#include "harness/sync_test.h"
#include "tests/support/dataset.h"
#include "tests/support/process.h"

namespace rdmasync::test {
namespace {

constexpr int kMasters = 3;
constexpr int kNodes = 2 * kMasters;
constexpr int kKeys = 3000;

/// A key of every type, of one name each.
Command any_write(int i) {
  const std::string name = "key:" + std::to_string(i);
  const std::string value = std::to_string(i * 7919);
  switch (i % 9) {
    case 0:
      return {"SET", name, value};
    case 1:
      return {"SET", name, "short " + value};
    case 2:
      return {"SET", name, random_bytes(i, 70'000)};
    case 3:
      return {"RPUSH", name, value, "b", "c"};
    case 4:
      return {"SADD", name, value, "b", "c"};
    case 5:
      return {"HSET", name, "field", value, "b", "c"};
    case 6:
      return {"ZADD", name, "1", value, "2", "b"};
    case 7:
      return {"XADD", name, "*", "field", value};
    default:
      return {"SET", name, value, "EX", "1000"};
  }
}

/// A client that goes where the cluster sends it.
class ClusterClient {
 public:
  explicit ClusterClient(std::vector<Server*> nodes) : nodes_(std::move(nodes)) {
    for (const Server* node : nodes_) {
      clients_.push_back(std::make_unique<Client>(node->connect()));
    }
  }

  Reply run(const Command& command) {
    std::size_t at = 0;
    bool asking = false;
    for (;;) {
      if (asking) {
        clients_.at(at)->must("ASKING");
      }
      Reply reply = clients_.at(at)->run(command);
      std::istringstream words(reply.is_error() ? reply.text : std::string());
      std::string word;
      std::string slot;
      std::string address;
      words >> word >> slot >> address;
      if (word != "MOVED" && word != "ASK") {
        return reply;
      }
      asking = word == "ASK";
      at = node_at(address);
    }
  }

 private:
  std::size_t node_at(const std::string& address) const {
    const int port = std::stoi(address.substr(address.rfind(':') + 1));
    for (std::size_t i = 0; i < nodes_.size(); i++) {
      if (nodes_[i]->port() == port) {
        return i;
      }
    }
    throw std::runtime_error("no node at " + address);
  }

  std::vector<Server*> nodes_;
  std::vector<std::unique_ptr<Client>> clients_;
};

class ClusterTest : public FabricTest {
 protected:
  void SetUp() override {
    FabricTest::SetUp();
    if (IsSkipped()) {
      return;
    }
    std::vector<std::string> create = {"redis-cli", "--cluster", "create"};
    for (int i = 0; i < kNodes; i++) {
      nodes_.push_back(&start_node("node-" + std::to_string(i)));
      create.push_back(address_of(*nodes_.back()));
    }
    create.insert(create.end(), {"--cluster-replicas", "1", "--cluster-yes"});
    output_of(create);
    wait_until("the cluster is up", [this] {
      return std::all_of(nodes_.begin(), nodes_.end(), [](Server* node) {
        const bool follows =
            !is_replica(*node) || node->info("replication", "master_link_status") == "up";
        return follows && cluster_info(*node, "cluster_state") == "ok" &&
               cluster_info(*node, "cluster_known_nodes") == std::to_string(kNodes);
      });
    });
    fill(0, kKeys);
  }

  Server& start_node(const std::string& name, std::vector<std::string> config = {}) {
    config.insert(config.end(), {"cluster-enabled yes", "cluster-node-timeout 2000",
                                 "repl-diskless-sync-delay 0"});
    return start_server(name, with_fabric({.config = std::move(config)}));
  }

  static std::string address_of(const Server& node) {
    return node.host() + ":" + std::to_string(node.port());
  }
  static bool is_replica(Server& node) { return node.info("replication", "role") == "slave"; }
  static std::string cluster_info(Server& node, const std::string& field) {
    return parse_info(node.client().must("CLUSTER", "INFO").text)[field];
  }
  /// By a line of CLUSTER NODES, whose second word is the address and third one the flags.
  static bool knows_as(Server& node, const Server& other, const std::string& flag) {
    std::istringstream lines(node.must("CLUSTER", "NODES").text);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string id;
      std::string address;
      std::string flags;
      words >> id >> address >> flags;
      if (address.starts_with(address_of(other) + "@")) {
        return flags.find(flag) != std::string::npos;
      }
    }
    return false;
  }
  static std::string id_of(Server& node) { return node.must("CLUSTER", "MYID").text; }

  std::vector<Server*>& nodes() { return nodes_; }
  Server& node(std::size_t i) { return *nodes_.at(i); }
  Server& replica_of(const Server& master) {
    for (Server* node : nodes_) {
      const auto link = node->info("replication");
      if (link.at("role") == "slave" && link.at("master_port") == std::to_string(master.port())) {
        return *node;
      }
    }
    throw std::runtime_error(master.name() + " has no replica");
  }

  void fill(int from, int to) {
    ClusterClient client(nodes_);
    for (int i = from; i < to; i++) {
      const Reply reply = client.run(any_write(i));
      ASSERT_FALSE(reply.is_error()) << reply.text;
    }
  }

  /// A seventh node, which has met the others.
  Server& join_node(std::vector<std::string> config = {}) {
    Server& fresh = start_node("fresh", std::move(config));
    fresh.must("CLUSTER", "MEET", node(0).host(), node(0).port());
    wait_until("the fresh node knows all", [&] {
      return cluster_info(fresh, "cluster_known_nodes") == std::to_string(kNodes + 1) &&
             cluster_info(fresh, "cluster_state") == "ok" &&
             std::all_of(nodes_.begin(), nodes_.end(), [](Server* node) {
               return cluster_info(*node, "cluster_known_nodes") == std::to_string(kNodes + 1);
             });
    });
    return fresh;
  }
  static void replicate(Server& replica, Server& master) {
    wait_until(replica.name() + " takes its master", [&] {
      return !replica.client().run({"CLUSTER", "REPLICATE", id_of(master)}).is_error();
    });
  }
  static void expect_equal(Server& master, Server& replica) {
    wait_offsets_equal(master, replica);
    EXPECT_EQ(digest(replica), digest(master));
    EXPECT_EQ(replica.must("DBSIZE").number, master.must("DBSIZE").number);
    EXPECT_GT(replica.must("DBSIZE").number, kKeys / 30);
  }
  static void expect_ours(Server& master, Server& replica) {
    EXPECT_EQ(status(replica, "syncs_failed"), "0") << status(replica, "last_sync_error");
    EXPECT_NE(status(replica, "syncs_ok"), "0");
    EXPECT_EQ(master.info("stats", "total_forks"), "0");
  }

 private:
  std::vector<Server*> nodes_;
};
RDMASYNC_FOR_EACH_FABRIC(ClusterTest);

/// Writes everywhere until it goes.
class ClusterWriter {
 public:
  explicit ClusterWriter(const std::vector<Server*>& nodes)
      : thread_([this, nodes](const std::stop_token& stop) {
          ClusterClient client(nodes);
          for (int i = 0; !stop.stop_requested(); i++) {
            const Reply reply = client.run(any_write(i * 31 % kKeys));
            written_ += reply.is_error() ? 0 : 1;
            client.run({"DEL", "key:" + std::to_string(i * 17 % kKeys)});
          }
        }) {}
  int written() const { return written_; }

 private:
  std::atomic<int> written_ = 0;
  std::jthread thread_;
};

TEST_P(ClusterTest, ReplicasOfTheBeginningAreOurs) {
  for (int i = 0; i < kMasters; i++) {
    Server& master = node(static_cast<std::size_t>(i));
    Server& replica = replica_of(master);
    expect_ours(master, replica);
    expect_equal(master, replica);
  }
}

TEST_P(ClusterTest, ReplicateUnderAWriter) {
  Server& fresh = join_node();
  {
    const ClusterWriter writer(nodes());
    replicate(fresh, node(0));
    wait_synced(fresh, node(0));
    // And once more, onto what it has.
    replicate(fresh, node(1));
    wait_synced(fresh, node(1));
    const int before = writer.written();
    wait_until("it was written meanwhile", [&] { return writer.written() > before; });
  }
  expect_ours(node(0), fresh);
  expect_ours(node(1), fresh);
  expect_equal(node(1), fresh);
}

/// Valkey 9.1 lets no module call anything once a script has named keys of several slots.
TEST_P(ClusterTest, AServerThatRefusesModulesSyncsByItself) {
  Server& master = node(0);
  master.command("EVAL", "redis.pcall('MGET', 'a', 'b') return 1", 0);
  if (!master.command("EVAL", "return redis.call('TIME')", 0).is_error()) {
    GTEST_SKIP() << "this server has not that fault";
  }
  allow_native_full_syncs(1);
  Server& fresh = join_node();
  replicate(fresh, master);
  wait_link_up(fresh, master);
  EXPECT_TRUE(mentions(master.log(), "refuses calls of modules")) << master.log_tail(20);
  EXPECT_TRUE(mentions(master.info("rdmasync", "rdmasync_last_psync_left"), "Valkey 9.1"));
}

/// Not half of it, nor nothing.
TEST_P(ClusterTest, TheDiskHasTheWholeCopy) {
  Server& fresh = join_node({"appendonly yes", "save 3600 1"});
  replicate(fresh, node(0));
  wait_synced(fresh, node(0));
  wait_until("its settings are its own again", [&] {
    return fresh.config("cluster-replica-no-failover") == "no" &&
           fresh.config("save") == "3600 1" && fresh.config("appendonly") == "yes";
  });
  wait_until("the file is rewritten", [&] {
    const auto persistence = fresh.info("persistence");
    return persistence.at("aof_enabled") == "1" &&
           persistence.at("aof_rewrite_in_progress") == "0" &&
           persistence.at("aof_rewrite_scheduled") == "0";
  });
  expect_equal(node(0), fresh);
  fresh.must("DEBUG", "LOADAOF");
  EXPECT_EQ(digest(fresh), digest(node(0)));
}

/// Also where a part of the copy is refused, as ctest's Tests.Survive has it: by the server's own
/// sync.
TEST_P(ClusterTest, IsWholeInTheEnd) {
  allow_native_full_syncs(2);
  Server& fresh = join_node();
  replicate(fresh, node(0));
  wait_until("it has the master's history", [&] {
    const auto link = fresh.info("replication");
    return link.at("role") == "slave" && link.at("master_link_status") == "up" &&
           link.at("master_replid") == node(0).info("replication", "master_replid");
  });
  expect_equal(node(0), fresh);
}

/// Keys of a slot that is on its way are shown to those who ask only.
TEST_P(ClusterTest, ASlotIsOnItsWay) {
  // Some of its keys have been moved, of every type.
  const std::string tag = "{moving}";
  Server* from = nullptr;
  ClusterClient client(nodes());
  constexpr int kMoving = 40;
  for (int i = 0; i < kMoving; i++) {
    Command command = any_write(i);
    command.at(1) = tag + command.at(1);
    ASSERT_FALSE(client.run(command).is_error());
  }
  const auto slot = node(0).must("CLUSTER", "KEYSLOT", tag).number;
  for (int i = 0; i < kMasters; i++) {
    if (node(i).must("CLUSTER", "COUNTKEYSINSLOT", slot).number == kMoving) {
      from = &node(i);
    }
  }
  ASSERT_NE(from, nullptr);
  Server& to = from == &node(0) ? node(1) : node(0);
  to.must("CLUSTER", "SETSLOT", slot, "IMPORTING", id_of(*from));
  from->must("CLUSTER", "SETSLOT", slot, "MIGRATING", id_of(to));
  for (int i = 0; i < kMoving / 2; i++) {
    from->must("MIGRATE", to.host(), to.port(), tag + "key:" + std::to_string(i), 0, 5000);
  }
  Server& fresh = join_node();
  {
    const ClusterWriter writer(nodes());
    replicate(fresh, to);
    wait_synced(fresh, to);
  }
  expect_ours(to, fresh);
  expect_equal(to, fresh);
  replicate(fresh, *from);
  wait_synced(fresh, *from);
  expect_equal(*from, fresh);
}

TEST_P(ClusterTest, ReshardingGoesOn) {
  Server& fresh = join_node();
  {
    const ClusterWriter writer(nodes());
    const std::vector<std::string> reshard = {
        "redis-cli",       "--cluster",    "reshard",      address_of(node(0)),
        "--cluster-from",  id_of(node(0)), "--cluster-to", id_of(node(1)),
        "--cluster-slots", "400",          "--cluster-yes"};
    const std::jthread resharding([&] {
      try {
        output_of(reshard);
      } catch (const std::runtime_error& error) {
        // Valkey gives a slot up when a replica leaves that was to hear of it (NOREPLICAS). The
        // slot stays half moved then.
        std::cout << "resharding has ended: " << error.what() << '\n';
      }
    });
    replicate(fresh, node(1));
    wait_synced(fresh, node(1));
    replicate(fresh, node(0));
    wait_synced(fresh, node(0));
  }
  expect_equal(node(0), fresh);
  expect_ours(node(0), fresh);
  expect_ours(node(1), fresh);
}

/// Of Valkey 9. What has arrived is hidden until all is there, and what has gone goes unsaid.
TEST_P(ClusterTest, SlotsMigrateAtomically) {
  constexpr int kMoving = 900;
  const std::string tag = "{moving}";
  ClusterClient client(nodes());
  for (int i = 0; i < kMoving; i++) {
    Command command = any_write(i);
    command.at(1) = tag + command.at(1);
    ASSERT_FALSE(client.run(command).is_error());
  }
  const auto slot = node(0).must("CLUSTER", "KEYSLOT", tag).number;
  const auto owns = [&](Server& server) {
    return server.must("CLUSTER", "COUNTKEYSINSLOT", slot).number == kMoving;
  };
  std::size_t owner = 0;
  while (!owns(node(owner))) {
    owner++;
  }
  Server& first = node(owner);
  Server& second = node((owner + 1) % kMasters);
  Server& third = node((owner + 2) % kMasters);
  if (first.command("CLUSTER", "GETSLOTMIGRATIONS").is_error()) {
    GTEST_SKIP() << "this server moves keys, and not slots";
  }
  const auto migrate = [&](Server& source, Server& target) {
    source.must("CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", slot, slot, "NODE", id_of(target));
  };
  allow_native_full_syncs(kMasters);
  Server& fresh = join_node();
  const auto expect_whole = [&](Server& master) {
    pause_at(fresh, "none");
    wait_until("it has the master's history", [&] {
      const auto link = fresh.info("replication");
      return link.at("role") == "slave" && link.at("master_link_status") == "up" &&
             link.at("master_replid") == master.info("replication", "master_replid");
    });
    expect_equal(master, fresh);
  };
  const auto migrate_while_pulling = [&](Server& source, Server& target, Server& master) {
    pause_at(fresh, "pulling");
    replicate(fresh, master);
    wait_state(fresh, "pulling");
    migrate(source, target);
    wait_until("the slot has gone", [&] { return owns(target); });
    expect_whole(master);
  };
  {
    SCOPED_TRACE("a slot goes while it is copied");
    migrate_while_pulling(first, second, first);
  }
  {
    SCOPED_TRACE("a slot comes while the others are copied");
    migrate_while_pulling(second, third, third);
  }
  SCOPED_TRACE("a slot is on its way");
  third.must("DEBUG", "SLOTMIGRATION", "PREVENT-PAUSE", 1);
  migrate(third, first);
  wait_until("its keys are there", [&] {
    return mentions(third.must("CLUSTER", "GETSLOTMIGRATIONS").describe(), "waiting-to-pause");
  });
  replicate(fresh, first);
  expect_whole(first);
  third.must("DEBUG", "SLOTMIGRATION", "PREVENT-PAUSE", 0);
  wait_until("the slot has gone", [&] { return owns(first); });
  expect_whole(first);
}

/// Of each shard once: who has voted for one does not do so again for some time.
TEST_P(ClusterTest, Failovers) {
  const auto wait_role = [](Server& server, const std::string& role) {
    wait_until(server.name() + " is a " + role,
               [&] { return server.info("replication", "role") == role; });
  };
  const std::vector<Command> ways = {{"CLUSTER", "FAILOVER"}, {"CLUSTER", "FAILOVER", "FORCE"}};
  for (std::size_t i = 0; i < ways.size(); i++) {
    SCOPED_TRACE(i);
    Server& old_master = node(i);
    Server& new_master = replica_of(old_master);
    // Who takes it for a master does not vote for it.
    wait_until("all know the replica", [&] {
      return std::all_of(nodes().begin(), nodes().end(), [&](Server* node) {
        return node == &new_master || knows_as(*node, new_master, "slave");
      });
    });
    EXPECT_EQ(new_master.client().run(ways[i]).describe(), "+OK");
    wait_role(new_master, "master");
    wait_role(old_master, "slave");
    wait_link_up(old_master, new_master);
    expect_equal(new_master, old_master);
    EXPECT_EQ(new_master.info("stats", "total_forks"), "0");
  }
  // A master that is gone, and comes back empty.
  Server& killed = node(ways.size());
  Server& heir = replica_of(killed);
  killed.kill();
  wait_role(heir, "master");
  // One that comes back before all others know has its place again, with nothing.
  wait_until("all know the heir", [&] {
    return std::all_of(nodes().begin(), nodes().end(), [&](Server* node) {
      return node == &killed ||
             (cluster_info(*node, "cluster_state") == "ok" && knows_as(*node, heir, "master") &&
              knows_as(*node, killed, "fail"));
    });
  });
  killed.start();
  wait_role(killed, "slave");
  wait_synced(killed, heir);
  expect_ours(heir, killed);
  expect_equal(heir, killed);
}

}  // namespace
}  // namespace rdmasync::test

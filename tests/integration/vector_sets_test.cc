#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "harness/sync_test.h"

// Vector sets, which Redis has since 8.0 as a module's type. Each server builds a graph of its own
// from the same commands, so what is compared is what a client can ask for.
namespace rdmasync::test {
namespace {

constexpr int kElements = 40;

std::string element(int i) {
  return "element:" + std::to_string(i);
}

void add(Server& server, const std::string& key, int i, int value) {
  server.must("VADD", key, "VALUES", 3, value, value + 1, 2 * value, element(i), "NOQUANT",
              "SETATTR", "{\"value\":" + std::to_string(value) + "}");
}

std::vector<std::string> contents(Server& server, const std::string& key) {
  std::vector<std::string> all = {server.must("VCARD", key).describe()};
  for (int i = 0; i < kElements; i++) {
    all.push_back(server.must("VEMB", key, element(i)).describe() +
                  server.must("VGETATTR", key, element(i)).describe());
  }
  return all;
}

TEST(VectorSetTest, ArrivesAndFollows) {
  const ServerOptions options = {.module_args = {"debug", "yes"}};
  Server master("master", options);
  if (master.must("COMMAND", "INFO", "VADD").elements.at(0).is_nil()) {
    GTEST_SKIP() << "this server has no vector sets";
  }
  Server replica("replica", options);
  for (int i = 0; i < kElements; i++) {
    add(master, "rests", i, i);
    add(master, "changes", i, i);
    add(master, "goes", i, i);
  }
  pause_at(replica, "cutting");
  slaveof(replica, master);
  wait_state(replica, "cutting");
  for (int i = 0; i + 2 < kElements; i += 3) {
    add(master, "changes", i, 100 + i);
    master.must("VREM", "changes", element(i + 1));
    master.must("VSETATTR", "changes", element(i + 2), "{}");
    add(master, "comes", i, i);
  }
  master.must("DEL", "goes");
  pause_at(replica, "none");
  wait_synced(replica, master);
  wait_offsets_equal(master, replica);
  for (const char* key : {"rests", "changes", "comes", "goes"}) {
    EXPECT_EQ(contents(master, key), contents(replica, key)) << key;
  }
}

}  // namespace
}  // namespace rdmasync::test

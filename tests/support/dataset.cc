#include "tests/support/dataset.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>

#include "tests/support/wait.h"

namespace rdmasync::test {
namespace {

constexpr std::array kFilledDatabases = {0, 1, 5, 15};
constexpr int kOldKeys = 50;
constexpr int kOldDatabase = 3;

/// Enough members for the second encoding of every collection, which begins at 128 or 512.
constexpr int kManyMembers = 700;

/// A variadic command for elements 0 to `count`, in few commands: an emulated machine takes long
/// for each. `append` adds the arguments of one element.
void add_many(Pipeline& to, const Command& head, int count,
              const std::function<void(Command&, int)>& append) {
  constexpr int kElements = 100;
  for (int begin = 0; begin < count; begin += kElements) {
    Command command = head;
    for (int i = begin; i < std::min(count, begin + kElements); i++) {
      append(command, i);
    }
    to.add_command(command);
  }
}

void add_strings(Pipeline& to) {
  to.add("SET", "string:int", "12345");
  to.add("SET", "string:int:negative", "-9223372036854775808");
  to.add("SET", "string:int:shared", "7");
  to.add("SET", "string:embstr", "short");
  to.add("SET", "string:embstr:44", std::string(44, 'e'));
  to.add("SET", "string:raw:45", std::string(45, 'r'));
  to.add("SET", "string:empty", "");
  to.add("SET", "string:number-like", "0012");
  to.add("SET", "string:binary", std::string("a\0b\r\n\xff", 6));
  to.add("SET", "string:compressible", std::string(20000, 'z'));
  to.add("SET", std::string("key\0with\r\nbinary\xfe", 17), random_bytes(1, 300));
  to.add("SET", "", "the empty key");
  to.add("SET", "huge-key:" + std::string(100 << 10, 'k'), "v");
  to.add("SET", "huge-key:large:" + std::string(70 << 10, 'k'), random_bytes(2, 100 << 10));
  to.add("APPEND", "string:appended", "abc");
  to.add("SETBIT", "bitmap:small", 100, 1);
  to.add("SETBIT", "bitmap:large", 8 * 300000, 1);
  for (const int near_threshold : {65535, 65536, 65537}) {
    to.add("SET", "string:near:" + std::to_string(near_threshold),
           random_bytes(near_threshold, near_threshold));
  }
  add_many(to, {"PFADD", "hll:sparse"}, 50,
           [](Command& command, int i) { command.push_back(std::to_string(i)); });
  add_many(to, {"PFADD", "hll:dense"}, 5000,
           [](Command& command, int i) { command.push_back(random_bytes(i, 16)); });
  to.add("PFCOUNT", "hll:dense");
}

void add_collections(Pipeline& to) {
  for (int i = 0; i < 3; i++) {
    to.add("RPUSH", "list:small", i, "element");
    to.add("SADD", "set:intset", i * 1000);
    to.add("SADD", "set:few", "member-" + std::to_string(i));
    to.add("HSET", "hash:listpack", "field-" + std::to_string(i), i);
    to.add("ZADD", "zset:listpack", 1.5 * i < 2 ? "1.25" : "-inf", "member-" + std::to_string(i));
  }
  to.add("RPUSH", "list:large-element", random_bytes(3, 20000), "", std::string("\0\n", 2));
  to.add("HSET", "hash:long-value", "field", std::string(100, 'v'), "", "empty field");
  to.add("ZADD", "zset:long-member", "3.14159265358979312", std::string(100, 'm'));
  add_many(to, {"RPUSH", "list:quicklist"}, kManyMembers,
           [](Command& command, int i) { command.push_back(random_bytes(i, 40)); });
  add_many(to, {"SADD", "set:intset:large"}, kManyMembers,
           [](Command& command, int i) { command.push_back(std::to_string(1000000007LL * i)); });
  add_many(to, {"SADD", "set:hashtable"}, kManyMembers,
           [](Command& command, int i) { command.push_back(random_bytes(i, 20)); });
  add_many(to, {"HSET", "hash:hashtable"}, kManyMembers, [](Command& command, int i) {
    command.insert(command.end(), {random_bytes(i, 12), std::to_string(i)});
  });
  add_many(to, {"ZADD", "zset:skiplist"}, kManyMembers, [](Command& command, int i) {
    command.insert(command.end(), {std::to_string(i * 7 % 31), random_bytes(i, 12)});
  });
  to.add("SADD", "set:intset:large", "no longer an intset");
  to.add("GEOADD", "geo", "13.361389", "38.115556", "Palermo", "15.087269", "37.502669", "Catania");
}

void add_streams(Pipeline& to) {
  for (int i = 1; i <= 300; i++) {
    to.add("XADD", "stream:groups", std::to_string(i) + "-1", "field", i, "blob",
           random_bytes(i, 30));
  }
  to.add("XDEL", "stream:groups", "300-1", "17-1");
  to.add("XGROUP", "CREATE", "stream:groups", "readers", "0");
  to.add("XGROUP", "CREATE", "stream:groups", "idle", "100-1", "ENTRIESREAD", 99);
  to.add("XREADGROUP", "GROUP", "readers", "alice", "COUNT", 20, "STREAMS", "stream:groups", ">");
  to.add("XREADGROUP", "GROUP", "readers", "bob", "COUNT", 10, "STREAMS", "stream:groups", ">");
  to.add("XACK", "stream:groups", "readers", "3-1", "4-1");
  to.add("XCLAIM", "stream:groups", "readers", "carol", 0, "5-1", "6-1", "RETRYCOUNT", 7);
  to.add("XGROUP", "CREATECONSUMER", "stream:groups", "readers", "dave");
  to.add("XADD", "stream:set-id", "5-5", "a", "b");
  to.add("XSETID", "stream:set-id", "100-7", "ENTRIESADDED", 40, "MAXDELETEDID", "50-2");
  to.add("XGROUP", "CREATE", "stream:empty", "group", "$", "MKSTREAM");
}

void add_expiring(Pipeline& to, long long now_ms) {
  constexpr long long kHour = 3600LL * 1000;
  to.add("SET", "ttl:string", "v", "PXAT", now_ms + kHour + 1);
  to.add("SET", "ttl:large", random_bytes(4, 200 << 10), "PXAT", now_ms + kHour + 2);
  to.add("SET", "ttl:int", 42, "PXAT", now_ms + kHour + 3);
  to.add("RPUSH", "ttl:list", "a", "b");
  to.add("PEXPIREAT", "ttl:list", now_ms + 48 * kHour + 4);
  to.add("HSET", "ttl:hash", "f", "v");
  to.add("PEXPIREAT", "ttl:hash", "9000000000000");
  to.add("PFADD", "ttl:hll", "x");
  to.add("PEXPIREAT", "ttl:hll", now_ms + kHour + 5);
}

void add_functions(Client& client) {
  client.must("FUNCTION", "LOAD", "REPLACE",
              "#!lua name=testlib\n"
              "redis.register_function('set_and_push', function(keys, args)\n"
              "  redis.call('SET', keys[1], args[1])\n"
              "  return redis.call('RPUSH', keys[2], args[1])\n"
              "end)\n");
  client.must("FUNCTION", "LOAD", "REPLACE",
              "#!lua name=otherlib\n"
              "redis.register_function{function_name='peek', flags={'no-writes'},\n"
              "  callback=function(keys) return redis.call('GET', keys[1]) end}\n");
}

}  // namespace

std::string random_bytes(std::uint64_t seed, std::size_t length) {
  std::string bytes(length + sizeof(std::uint64_t), '\0');
  std::uint64_t state = seed * 0x9E3779B97F4A7C15U + 1;
  for (std::size_t i = 0; i < length; i += sizeof(std::uint64_t)) {
    state += 0x9E3779B97F4A7C15U;
    std::uint64_t mixed = state;
    mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBU;
    mixed ^= mixed >> 31U;
    bytes.replace(i, sizeof(mixed), reinterpret_cast<const char*>(&mixed), sizeof(mixed));
  }
  bytes.resize(length);
  return bytes;
}

void fill_dataset(Client& client, const DatasetOptions& options) {
  Pipeline pipeline(client);
  const long long now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                               std::chrono::system_clock::now().time_since_epoch())
                               .count();
  for (const int db : kFilledDatabases) {
    pipeline.add("SELECT", db);
    add_strings(pipeline);
    add_collections(pipeline);
    add_streams(pipeline);
    add_expiring(pipeline, now_ms);
    if (options.short_lived) {
      pipeline.add("SET", "ttl:soon", "v", "PXAT", now_ms + 400);
    }
    if (options.testtype) {
      pipeline.add("TESTTYPE.SET", "testtype:small", "value of db " + std::to_string(db));
      pipeline.add("TESTTYPE.SET", "testtype:large", random_bytes(5, 300 << 10));
      pipeline.add("TESTTYPE.SET", "testtype:empty", "");
    }
    for (int i = 0; i < options.small_keys / static_cast<int>(kFilledDatabases.size()); i++) {
      pipeline.add("SET", "small:" + std::to_string(i), random_bytes(i, i % 60));
    }
  }
  pipeline.add("SELECT", 0);
  for (int i = 0; i < options.large_values; i++) {
    pipeline.add("SET", "large:" + std::to_string(i), random_bytes(i, options.large_bytes));
  }
  pipeline.finish();
  if (options.functions) {
    add_functions(client);
  }
}

void fill_dataset(Server& server, const DatasetOptions& options) {
  Client client = server.connect();
  fill_dataset(client, options);
}

void wait_short_lived_gone(Server& server) {
  Client client = server.connect();
  for (const int db : kFilledDatabases) {
    client.must("SELECT", db);
    wait_until("ttl:soon is gone", [&] { return client.must("EXISTS", "ttl:soon").number == 0; });
  }
}

namespace {

std::string old_value(int i) {
  return random_bytes(i, static_cast<std::size_t>(i) * 100);
}

}  // namespace

void fill_old_dataset(Server& server) {
  Client client = server.connect();
  client.must("SELECT", kOldDatabase);
  Pipeline pipeline(client);
  for (int i = 0; i < kOldKeys; i++) {
    pipeline.add("SET", "old:" + std::to_string(i), old_value(i));
  }
  pipeline.finish();
}

namespace {

int old_keys_left(Server& server) {
  Client client = server.connect();
  client.must("SELECT", kOldDatabase);
  int left = 0;
  for (int i = 0; i < kOldKeys; i++) {
    const Reply reply = client.must("GET", "old:" + std::to_string(i));
    left += !reply.is_nil() && reply.text == old_value(i) ? 1 : 0;
  }
  return left;
}

}  // namespace

bool has_old_dataset(Server& server) {
  return old_keys_left(server) == kOldKeys;
}
bool has_lost_old_dataset(Server& server) {
  return old_keys_left(server) == 0;
}

}  // namespace rdmasync::test

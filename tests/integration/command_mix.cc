#include "command_mix.h"

#include <array>
#include <chrono>

#include "tests/support/dataset.h"

namespace rdmasync::test {
namespace {

/// Few keys, so that the same ones are written again and again while they are being copied.
constexpr int kKeysPerType = 60;
constexpr int kLargeKeys = 12;
constexpr int kMaxLarge = 300 << 10;
constexpr std::array kDatabases = {"0", "1", "2", "9"};

constexpr const char* kSetAndCount =
    "for i = 1, 5 do redis.call('SET', KEYS[1], ARGV[1] .. i) end "
    "redis.call('INCR', KEYS[2])";
/// To keys that it was not given, in another database.
constexpr const char* kWriteElsewhere =
    "redis.call('SELECT', ARGV[1]) redis.call('SADD', ARGV[2], ARGV[3]) "
    "redis.call('HSET', ARGV[4], 'script', ARGV[3])";
constexpr const char* kRestore =
    "local d = redis.call('DUMP', KEYS[1]) "
    "if d then redis.call('RESTORE', KEYS[2], ARGV[1], d, 'REPLACE') end";
constexpr const char* kTearAndRename =
    "redis.call('SETRANGE', KEYS[1], ARGV[1], ARGV[2]) "
    "redis.call('RENAME', KEYS[1], KEYS[2])";
/// No keyspace notification tells of these.
constexpr const char* kSilent =
    "redis.pcall('XACK', KEYS[1], 'g0', ARGV[1]) redis.pcall('PFCOUNT', KEYS[2])";
constexpr const char* kAddAndExpire =
    "redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2]) "
    "redis.call('PEXPIRE', KEYS[1], ARGV[3]) redis.call('DEL', KEYS[2])";

}  // namespace

int CommandMix::below(int bound) {
  // Not std::uniform_int_distribution: its result differs between libraries.
  return static_cast<int>(random_() % static_cast<std::uint64_t>(bound));
}

std::string CommandMix::key(const char* type) {
  const bool is_large = std::string_view(type) == "big";
  return std::string(type) + ":" + number(is_large ? kLargeKeys : kKeysPerType);
}

std::string CommandMix::any_key() {
  constexpr std::array kTypes = {"s", "big", "l", "set", "h", "z", "x", "hll", "mod"};
  return key(kTypes[below(kTypes.size())]);
}

std::string CommandMix::database() {
  return kDatabases[below(kDatabases.size())];
}

std::string CommandMix::bytes(int max_length) {
  return random_bytes(random_(), below(max_length));
}

std::string CommandMix::stream_id() {
  return number(200) + "-" + number(3);
}

Command CommandMix::string() {
  switch (below(16)) {
    case 0:
    case 1:
      return {"SET", key("s"), bytes(120)};
    case 2:
      return {"SET", key("s"), number(100000)};
    case 3:
      return {"INCRBY", key("n"), number(100)};
    case 4:
      return {"INCRBYFLOAT", key("n"), "0.25"};
    case 5:
      return {"APPEND", key("s"), bytes(40)};
    case 6:
      return {"SETRANGE", key("s"), number(200), bytes(30)};
    case 7:
      return {"SETBIT", key("s"), number(2000), number(2)};
    case 8:
      return {"MSET", key("s"), bytes(20), key("s"), bytes(200), key("n"), number(9)};
    case 9:
      return {"GETDEL", key("s")};
    case 10:
      return {"GETEX", key("s"), "PERSIST"};
    case 11:
      return {"SET", key("s"), bytes(70), "PX", std::to_string(1 + below(400))};
    case 12:
      return {"GETSET", key("s"), bytes(10)};
    case 13:
      return {"BITOP", "XOR", key("s"), key("s"), key("s")};
    case 14:
      return {"BITFIELD", key("s"), "INCRBY", "u8", number(100), "3"};
    default:
      return {"SET", key("s"), bytes(50), "KEEPTTL"};
  }
}

Command CommandMix::large() {
  switch (below(14)) {
    case 0:
    case 1:
    case 2:
      return {"SET", key("big"), bytes(kMaxLarge)};
    case 3:
    case 4:
      return {"SETRANGE", key("big"), number(kMaxLarge), bytes(5000)};
    case 5:
    case 6:
      return {"APPEND", key("big"), bytes(3000)};
    case 7:
      return {"SETBIT", key("big"), number(8 * kMaxLarge), number(2)};
    case 8:
      return {"SET", key("big"), bytes(100)};
    case 9:
      return {"RENAME", key("big"), key("big")};
    case 10:
      return {"COPY", key("big"), key("big"), "DB", database(), "REPLACE"};
    case 11:
      return {below(2) == 0 ? "DEL" : "UNLINK", key("big")};
    case 12:
      return {"SET", key("big"), bytes(kMaxLarge), "PX", std::to_string(1 + below(300))};
    default:
      return {"MOVE", key("big"), database()};
  }
}

Command CommandMix::list() {
  switch (below(11)) {
    case 0:
    case 1:
      return {"RPUSH", key("l"), bytes(50), number(1000), bytes(8)};
    case 2:
      return {"LPUSH", key("l"), bytes(3000)};
    case 3:
      return {"LPOP", key("l"), number(4)};
    case 4:
      return {"RPOP", key("l")};
    case 5:
      return {"LTRIM", key("l"), "0", number(300)};
    case 6:
      return {"LSET", key("l"), number(5), bytes(80)};
    case 7:
      return {"LMOVE", key("l"), key("l"), "LEFT", below(2) == 0 ? "LEFT" : "RIGHT"};
    case 8:
      return {"LMPOP", "2", key("l"), key("l"), "RIGHT", "COUNT", "3"};
    case 9:
      return {"RPOPLPUSH", key("l"), key("l")};
    default:
      return {"RPUSHX", key("l"), bytes(10)};
  }
}

Command CommandMix::set() {
  switch (below(8)) {
    case 0:
    case 1:
      return {"SADD", key("set"), number(5000), number(5000)};
    case 2:
      return {"SADD", key("set"), bytes(80), bytes(10)};
    case 3:
      return {"SREM", key("set"), number(5000), number(5000)};
    case 4:
      return {"SPOP", key("set"), std::to_string(1 + below(3))};
    case 5:
      return {"SMOVE", key("set"), key("set"), number(5000)};
    case 6:
      return {"SUNIONSTORE", key("set"), key("set"), key("set")};
    default:
      return {"SINTERSTORE", key("set"), key("set"), key("set")};
  }
}

Command CommandMix::hash() {
  switch (below(7)) {
    case 0:
    case 1:
      return {"HSET", key("h"), number(300), bytes(90), bytes(6), number(9)};
    case 2:
      return {"HDEL", key("h"), number(300), number(300)};
    case 3:
      return {"HINCRBY", key("h"), "counter", "3"};
    case 4:
      return {"HINCRBYFLOAT", key("h"), "float", "1.125"};
    case 5:
      return {"HSETNX", key("h"), number(300), bytes(20)};
    default:
      return {"HMSET", key("h"), number(300), bytes(20)};
  }
}

Command CommandMix::zset() {
  switch (below(10)) {
    case 0:
    case 1:
      return {"ZADD", key("z"), number(100), number(400), "-1.5", bytes(12)};
    case 2:
      return {"ZINCRBY", key("z"), "0.5", number(400)};
    case 3:
      return {"ZREM", key("z"), number(400), number(400)};
    case 4:
      return {"ZPOPMIN", key("z"), number(3)};
    case 5:
      return {"ZREMRANGEBYRANK", key("z"), number(20), "30"};
    case 6:
      return {"ZRANGESTORE", key("z"), key("z"), "0", "40"};
    case 7:
      return {"ZUNIONSTORE", key("z"), "2", key("z"), key("z")};
    case 8:
      return {"GEOADD", key("z"), number(170), number(80), number(400)};
    default:
      return {"ZMPOP", "2", key("z"), key("z"), "MAX"};
  }
}

Command CommandMix::stream() {
  switch (below(8)) {
    case 0:
    case 1:
    case 2:
      return {"XADD", key("x"), "*", "f", bytes(60), "n", number(10)};
    case 3:
      return {"XADD", key("x"), "MAXLEN", "~", "200", "*", "f", bytes(20)};
    case 4:
      return {"XADD", key("x"), stream_id(), "explicit", "id"};
    case 5:
      return {"XDEL", key("x"), stream_id(), stream_id(), stream_id()};
    case 6:
      return {"XTRIM", key("x"), "MAXLEN", number(150)};
    default:
      return {"XSETID", key("x"), "9999999999999-" + number(50)};
  }
}

/// Most of these change a stream without any keyspace notification.
Command CommandMix::stream_group() {
  const std::string group = "g" + number(2);
  const std::string consumer = "c" + number(3);
  switch (below(14)) {
    case 0:
    case 1:
      return {"XGROUP", "CREATE", key("x"), group, "0", "MKSTREAM"};
    case 2:
    case 3:
    case 4:
      return {"XREADGROUP", "GROUP", group, consumer, "COUNT", "5", "STREAMS", key("x"), ">"};
    case 5:
      return {"XREADGROUP", "GROUP", group, consumer, "NOACK", "STREAMS", key("x"), ">"};
    case 6:
    case 7:
      return {"XACK", key("x"), group, stream_id(), stream_id(), stream_id(), stream_id()};
    case 8:
      return {"XCLAIM", key("x"), group, consumer, "0", stream_id(), stream_id(), "FORCE"};
    case 9:
      return {"XAUTOCLAIM", key("x"), group, consumer, "0", "0", "COUNT", "4"};
    case 10:
      return {"XGROUP", "CREATECONSUMER", key("x"), group, consumer};
    case 11:
      return {"XGROUP", "DELCONSUMER", key("x"), group, consumer};
    case 12:
      return {"XGROUP", "SETID", key("x"), group, stream_id()};
    default:
      return {"XGROUP", "DESTROY", key("x"), group};
  }
}

Command CommandMix::hyperloglog() {
  switch (below(5)) {
    case 0:
    case 1:
      return {"PFADD", key("hll"), bytes(12), bytes(12), bytes(12)};
    case 2:
      return {"PFMERGE", key("hll"), key("hll"), key("hll")};
    default:
      return {"PFCOUNT", key("hll")};  // a write: it keeps the result in the value
  }
}

Command CommandMix::module_value() {
  return {below(2) == 0 ? "TESTTYPE.SET" : "TESTTYPE.APPEND", key("mod"), bytes(400)};
}

Command CommandMix::expiry() {
  switch (below(8)) {
    case 0:
    case 1:
      return {"PEXPIRE", any_key(), std::to_string(1 + below(300))};
    case 2:
      return {"EXPIRE", any_key(), std::to_string(1000 + below(1000))};
    case 3:
      return {"PEXPIREAT", any_key(), "9000000000000"};
    case 4:
      return {"EXPIRE", any_key(), "-1"};
    case 5:
      return {"EXPIRE", any_key(), "5000", "GT"};
    default:
      return {"PERSIST", any_key()};
  }
}

Command CommandMix::generic() {
  constexpr std::array kTypes = {"s", "l", "set", "h", "z", "x", "hll", "mod"};
  const char* type = kTypes[below(kTypes.size())];
  switch (below(9)) {
    case 0:
    case 1:
      return {"DEL", any_key(), any_key()};
    case 2:
      return {"UNLINK", any_key()};
    case 3:
      return {"RENAME", key(type), key(type)};
    case 4:
      return {"RENAMENX", key(type), key(type)};
    case 5:
      return {"COPY", key(type), key(type), "DB", database(), "REPLACE"};
    case 6:
      return {"COPY", key(type), key(type), "REPLACE"};
    case 7:
      return {"MOVE", key(type), database()};
    default:
      return {"SORT", key("set"), "ALPHA", "LIMIT", "0", "50", "STORE", key("l")};
  }
}

Command CommandMix::script() {
  switch (below(6)) {
    case 0:
      return {"EVAL", kSetAndCount, "2", key("s"), key("n"), bytes(100)};
    case 1:
      return {"EVAL", kWriteElsewhere, "0", database(), key("set"), number(5000), key("h")};
    case 2:
      return {"EVAL", kRestore, "2", key("s"), key("s"), below(2) == 0 ? "0" : "250"};
    case 3:
      return {"EVAL", kTearAndRename, "2", key("big"), key("big"), number(kMaxLarge), bytes(2000)};
    case 4:
      return {"EVAL", kSilent, "2", key("x"), key("hll"), stream_id()};
    default:
      return {"EVAL",    kAddAndExpire, "2",         key("z"),
              any_key(), number(50),    number(400), std::to_string(50 + below(500))};
  }
}

Command CommandMix::function() {
  return {"FCALL", "set_and_push", "2", key("s"), key("l"), bytes(60)};
}

Command CommandMix::rare() {
  switch (below(12)) {
    case 0:
      return {"FLUSHDB"};
    case 1:
      return {"FLUSHDB", "ASYNC"};
    case 2:
    case 3:
    case 4:
      return {"SWAPDB", database(), database()};
    case 5:
    case 6:
    case 7: {
      const std::string library = number(3);
      return {"FUNCTION", "LOAD", "REPLACE",
              "#!lua name=mix" + library + "\nredis.register_function('mix" + library +
                  "', function(keys, args) return " + number(1000) + " end)"};
    }
    case 8:
      return {"FUNCTION", "DELETE", "mix" + number(3)};
    case 9:
      return {"FLUSHALL"};
    default:
      return {"PFDEBUG", "TODENSE", key("hll")};
  }
}

Command CommandMix::any() {
  switch (below(40)) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
      return large();
    case 5:
    case 6:
    case 7:
    case 8:
      return list();
    case 9:
    case 10:
    case 11:
      return set();
    case 12:
    case 13:
    case 14:
      return hash();
    case 15:
    case 16:
    case 17:
      return zset();
    case 18:
    case 19:
    case 20:
      return stream();
    case 21:
    case 22:
    case 23:
    case 24:
      return stream_group();
    case 25:
    case 26:
      return hyperloglog();
    case 27:
      return module_value();
    case 28:
    case 29:
    case 30:
      return expiry();
    case 31:
    case 32:
      return generic();
    case 33:
      return script();
    case 34:
      return function();
    case 35:
      return below(30) == 0 ? rare() : string();
    default:
      return string();
  }
}

std::vector<Command> CommandMix::transaction() {
  std::vector<Command> commands{{"MULTI"}};
  for (int left = 1 + below(6); left > 0; left--) {
    switch (below(5)) {
      case 0:
        commands.push_back({"SELECT", database()});
        break;
      case 1:
        commands.push_back(stream_group());
        break;
      case 2:
        commands.push_back(hyperloglog());
        break;
      default:
        commands.push_back(any());
        break;
    }
  }
  commands.push_back({below(12) == 0 ? "DISCARD" : "EXEC"});
  return commands;
}

std::vector<Command> CommandMix::next() {
  const int kind = below(20);
  if (kind == 0) {
    return {{"SELECT", database()}};
  }
  if (kind <= 2) {
    return transaction();
  }
  return {any()};
}

}  // namespace rdmasync::test

#include "module/master/known_commands.h"

#include <algorithm>
#include <array>

namespace rdmasync::master {

namespace {

// Sorted. Not here, and so captured again at every cut, are the six of Redis 7.0 that change a key
// and notify nobody: xack, xautoclaim, xclaim, xreadgroup, pfcount and pfdebug.
constexpr auto kTyped = std::to_array<std::string_view>({"append",
                                                         "bitfield",
                                                         "blmove",
                                                         "blmpop",
                                                         "blpop",
                                                         "brpop",
                                                         "brpoplpush",
                                                         "bzmpop",
                                                         "bzpopmax",
                                                         "bzpopmin",
                                                         "decr",
                                                         "decrby",
                                                         "geoadd",
                                                         "getset",
                                                         "hdel",
                                                         "hincrby",
                                                         "hincrbyfloat",
                                                         "hmset",
                                                         "hset",
                                                         "hsetnx",
                                                         "incr",
                                                         "incrby",
                                                         "incrbyfloat",
                                                         "linsert",
                                                         "lmove",
                                                         "lmpop",
                                                         "lpop",
                                                         "lpush",
                                                         "lpushx",
                                                         "lrem",
                                                         "lset",
                                                         "ltrim",
                                                         "mset",
                                                         "msetnx",
                                                         "pfadd",
                                                         "pfmerge",
                                                         "psetex",
                                                         "rpop",
                                                         "rpoplpush",
                                                         "rpush",
                                                         "rpushx",
                                                         "sadd",
                                                         "set",
                                                         "setbit",
                                                         "setex",
                                                         "setnx",
                                                         "setrange",
                                                         "smove",
                                                         "spop",
                                                         "srem",
                                                         "xadd",
                                                         "xdel",
                                                         "xgroup",
                                                         "xsetid",
                                                         "xtrim",
                                                         "zadd",
                                                         "zincrby",
                                                         "zmpop",
                                                         "zpopmax",
                                                         "zpopmin",
                                                         "zrem",
                                                         "zremrangebylex",
                                                         "zremrangebyrank",
                                                         "zremrangebyscore"});

// Some leave a key without a value and delete it, which is of the generic class.
constexpr auto kGeneric = std::to_array<std::string_view>({"bitop",
                                                           "copy",
                                                           "del",
                                                           "expire",
                                                           "expireat",
                                                           "georadius",
                                                           "georadiusbymember",
                                                           "geosearchstore",
                                                           "getdel",
                                                           "getex",
                                                           "migrate",
                                                           "move",
                                                           "persist",
                                                           "pexpire",
                                                           "pexpireat",
                                                           "rename",
                                                           "renamenx",
                                                           "restore",
                                                           "restore-asking",
                                                           "sdiffstore",
                                                           "sinterstore",
                                                           "sort",
                                                           "sunionstore",
                                                           "unlink",
                                                           "zdiffstore",
                                                           "zinterstore",
                                                           "zrangestore",
                                                           "zunionstore"});

constexpr auto kKeyless =
    std::to_array<std::string_view>({"flushall", "flushdb", "function", "swapdb"});

static_assert(std::is_sorted(kTyped.begin(), kTyped.end()));
static_assert(std::is_sorted(kGeneric.begin(), kGeneric.end()));
static_assert(std::is_sorted(kKeyless.begin(), kKeyless.end()));

template <typename Names>
bool among(const Names& names, std::string_view name) {
  return std::binary_search(names.begin(), names.end(), name);
}

}  // namespace

Notifies how_it_notifies(std::string_view name) {
  if (among(kTyped, name)) return Notifies::kTyped;
  if (among(kGeneric, name)) return Notifies::kGeneric;
  return among(kKeyless, name) ? Notifies::kKeyless : Notifies::kUnknown;
}

}  // namespace rdmasync::master

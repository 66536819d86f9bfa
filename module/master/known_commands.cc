#include "module/master/known_commands.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

namespace rdmasync::master {

namespace {

constexpr std::string_view kTyped =
    "append bitfield blmove blmpop blpop brpop brpoplpush bzmpop bzpopmax bzpopmin decr "
    "decrby geoadd getset hdel hexpire hexpireat hgetdel hgetex hincrby hincrbyfloat hmset "
    "hpersist hpexpire hpexpireat hset hsetex hsetnx incr incrby incrbyfloat linsert lmove "
    "lmpop lpop lpush lpushx lrem lset ltrim mset msetex msetnx pfadd pfmerge psetex rpop "
    "rpoplpush rpush rpushx sadd set setbit setex setnx setrange smove spop srem xadd xdel "
    "xgroup|create xgroup|createconsumer xgroup|delconsumer xgroup|destroy xgroup|setid "
    "xsetid xtrim zadd zincrby zmpop zpopmax zpopmin zrem zremrangebylex zremrangebyrank "
    "zremrangebyscore";

// Some leave a key without a value and delete it, which is of the generic class.
constexpr std::string_view kGeneric =
    "bitop copy del delifeq expire expireat georadius georadiusbymember geosearchstore getdel "
    "getex migrate move persist pexpire pexpireat rename renamenx restore restore-asking "
    "sdiffstore sinterstore sort sunionstore unlink zdiffstore zinterstore zrangestore "
    "zunionstore";

// Server events tell of these, or what they change is captured at every cut.
constexpr std::string_view kKeyless =
    "flushall flushdb function|delete function|flush function|load function|restore swapdb";

using Known = std::unordered_map<std::string_view, Notifies>;

void add(Known& known, std::string_view names, Notifies notifies) {
  while (!names.empty()) {
    const auto end = std::min(names.find(' '), names.size());
    known.emplace(names.substr(0, end), notifies);
    names.remove_prefix(std::min(end + 1, names.size()));
  }
}

}  // namespace

Notifies how_it_notifies(std::string_view name) {
  static const Known known = [] {
    Known all;
    add(all, kTyped, Notifies::kTyped);
    add(all, kGeneric, Notifies::kGeneric);
    add(all, kKeyless, Notifies::kKeyless);
    return all;
  }();
  const auto found = known.find(name);
  return found == known.end() ? Notifies::kUnknown : found->second;
}

}  // namespace rdmasync::master

#pragma once

#include <array>
#include <string>

#include "module/redis/api.h"

/// The server's own commands that the module calls, all of them. redis.conf may have renamed or
/// disabled any; so a sync asks for them before it begins.
namespace rdmasync::redis {

/// One of them; call() takes no other.
struct CalledCommand {
  const char* name;
  bool by_master;   ///< called during an export
  bool by_replica;  ///< called during a sync
  bool names_keys;
};

inline constexpr CalledCommand kClient{"CLIENT", true, true, false};
inline constexpr CalledCommand kCommand{"COMMAND", true, false, false};
inline constexpr CalledCommand kConfig{"CONFIG", true, true, false};
inline constexpr CalledCommand kDbSize{"DBSIZE", true, false, false};
inline constexpr CalledCommand kDump{"DUMP", true, false, true};
inline constexpr CalledCommand kFunction{"FUNCTION", true, true, false};
inline constexpr CalledCommand kGet{"GET", true, false, true};
inline constexpr CalledCommand kHdel{"HDEL", false, true, true};
inline constexpr CalledCommand kHmget{"HMGET", true, false, true};
inline constexpr CalledCommand kHset{"HSET", false, true, true};
inline constexpr CalledCommand kInfo{"INFO", false, true, false};
inline constexpr CalledCommand kLpush{"LPUSH", false, true, true};
inline constexpr CalledCommand kLset{"LSET", false, true, true};
inline constexpr CalledCommand kLtrim{"LTRIM", false, true, true};
inline constexpr CalledCommand kMget{"MGET", true, false, true};
inline constexpr CalledCommand kModule{"MODULE", true, true, false};
inline constexpr CalledCommand kReplicaof{"REPLICAOF", false, true, false};
inline constexpr CalledCommand kRestore{"RESTORE", false, true, true};
inline constexpr CalledCommand kRpush{"RPUSH", false, true, true};
inline constexpr CalledCommand kSadd{"SADD", false, true, true};
inline constexpr CalledCommand kSet{"SET", false, true, true};
inline constexpr CalledCommand kSmismember{"SMISMEMBER", true, false, true};
inline constexpr CalledCommand kSrem{"SREM", false, true, true};
inline constexpr CalledCommand kXsetid{"XSETID", false, true, true};
inline constexpr CalledCommand kZmscore{"ZMSCORE", true, false, true};
inline constexpr CalledCommand kZrange{"ZRANGE", true, false, true};
inline constexpr CalledCommand kZrevrank{"ZREVRANK", true, false, true};
// Only where fields of a hash have times of their own.
inline constexpr CalledCommand kHpexpireat{"HPEXPIREAT", false, false, true};
inline constexpr CalledCommand kHpexpiretime{"HPEXPIRETIME", false, false, true};
// Only where streams go in parts; and what a server has where they do not.
inline constexpr CalledCommand kXackdel{"XACKDEL", false, false, true};
inline constexpr CalledCommand kXinfo{"XINFO", false, false, true};
// Only on a master that is a replica, and to find collections of few long elements.
inline constexpr CalledCommand kMemory{"MEMORY", false, false, true};
// Only in cluster mode.
inline constexpr CalledCommand kCluster{"CLUSTER", false, false, false};
// Only for a sync that is not staged.
inline constexpr CalledCommand kFlushDb{"FLUSHDB", false, false, false};
inline constexpr CalledCommand kSwapDb{"SWAPDB", false, false, false};

inline constexpr std::array kCalledCommands = {
    kClient, kCommand, kConfig, kDbSize,     kDump,  kFunction, kGet,     kHdel,      kHmget,
    kHset,   kInfo,    kLpush,  kLset,       kLtrim, kMget,     kModule,  kReplicaof, kRestore,
    kRpush,  kSadd,    kSet,    kSmismember, kSrem,  kXsetid,   kZmscore, kZrange,    kZrevrank};

/// The names of those that this server does not have, with ", " between them. Main thread.
std::string missing_on_master(RedisModuleCtx* ctx);
std::string missing_on_replica(RedisModuleCtx* ctx);

/// Whether this server has one that it may lack.
bool has(RedisModuleCtx* ctx, const CalledCommand& command);

}  // namespace rdmasync::redis

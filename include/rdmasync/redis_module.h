#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

/// The part of the Redis module API (7.0 and later, Valkey likewise) that this module uses,
/// declared anew from its reference documentation. `module/redis/api.h` looks the functions up by
/// name.
extern "C" {

struct RedisModuleCtx;
struct RedisModuleKey;
struct RedisModuleString;
struct RedisModuleCallReply;
struct RedisModuleBlockedClient;
struct RedisModuleCommand;
struct RedisModuleCommandFilter;
struct RedisModuleCommandFilterCtx;
struct RedisModuleInfoCtx;
struct RedisModuleIO;
struct RedisModuleScanCursor;
struct RedisModuleServerInfoData;
struct RedisModuleType;
struct RedisModuleUser;

/// Passed by value to event subscriptions and callbacks.
struct RedisModuleEvent {
  std::uint64_t id;
  std::uint64_t data_version;
};

using RedisModuleCmdFunc = int (*)(RedisModuleCtx*, RedisModuleString**, int);
using RedisModuleCommandFilterFunc = void (*)(RedisModuleCommandFilterCtx*);
using RedisModuleEventCallback = void (*)(RedisModuleCtx*, RedisModuleEvent, std::uint64_t, void*);
using RedisModuleEventLoopFunc = void (*)(int, void*, int);
using RedisModuleEventLoopOneShotFunc = void (*)(void*);
using RedisModuleInfoFunc = void (*)(RedisModuleInfoCtx*, int);
using RedisModuleNotificationFunc = int (*)(RedisModuleCtx*, int, const char*, RedisModuleString*);
using RedisModuleScanKeyCB = void (*)(RedisModuleKey*, RedisModuleString*, RedisModuleString*,
                                      void*);
using RedisModuleScanCB = void (*)(RedisModuleCtx*, RedisModuleString*, RedisModuleKey*, void*);

using RedisModuleConfigGetString = RedisModuleString* (*)(const char*, void*);
using RedisModuleConfigSetString = int (*)(const char*, RedisModuleString*, void*,
                                           RedisModuleString**);
using RedisModuleConfigGetNumeric = long long (*)(const char*, void*);
using RedisModuleConfigSetNumeric = int (*)(const char*, long long, void*, RedisModuleString**);
using RedisModuleConfigGetBool = int (*)(const char*, void*);
using RedisModuleConfigSetBool = int (*)(const char*, int, void*, RedisModuleString**);
using RedisModuleConfigGetEnum = int (*)(const char*, void*);
using RedisModuleConfigSetEnum = int (*)(const char*, int, void*, RedisModuleString**);
using RedisModuleConfigApply = int (*)(RedisModuleCtx*, void*, RedisModuleString**);

/// Only the members of versions 1 and 2, which is what `aux_load` needs.
struct RedisModuleTypeMethods {
  std::uint64_t version;
  void* (*rdb_load)(RedisModuleIO*, int);
  void (*rdb_save)(RedisModuleIO*, void*);
  void (*aof_rewrite)(RedisModuleIO*, RedisModuleString*, void*);
  std::size_t (*mem_usage)(const void*);
  void (*digest)(void*, void*);
  void (*free)(void*);
  int (*aux_load)(RedisModuleIO*, int, int);
  void (*aux_save)(RedisModuleIO*, int);
  int aux_save_triggers;
};

struct RedisModuleClientInfo {
  std::uint64_t version;
  std::uint64_t flags;
  std::uint64_t id;
  char addr[46];
  std::uint16_t port;
  std::uint16_t db;
};

struct RedisModuleStreamID {
  std::uint64_t ms;
  std::uint64_t seq;
};

struct RedisModuleFlushInfo {
  std::uint64_t version;
  std::int32_t sync;
  std::int32_t dbnum;  ///< -1: all of them
};

struct RedisModuleKeyInfo {
  std::uint64_t version;
  RedisModuleKey* key;
};

struct RedisModuleSwapDbInfo {
  std::uint64_t version;
  std::int32_t dbnum_first;
  std::int32_t dbnum_second;
};

/// For COMMAND DOCS. Key specifications and history are not used here.
struct RedisModuleCommandArg {
  const char* name;
  int type;
  int key_spec_index;
  const char* token;
  const char* summary;
  const char* since;
  int flags;
  const char* deprecated_since;
  RedisModuleCommandArg* subargs;
};

struct RedisModuleCommandInfoVersion {
  int version;
  std::size_t sizeof_history_entry;
  std::size_t sizeof_key_spec;
  std::size_t sizeof_arg;
};

struct RedisModuleCommandInfo {
  const RedisModuleCommandInfoVersion* version;
  const char* summary;
  const char* complexity;
  const char* since;
  void* history;
  const char* tips;
  int arity;
  void* key_specs;
  RedisModuleCommandArg* args;
};

}  // extern "C"

namespace rdmasync::redis {

inline constexpr int kOk = 0;
inline constexpr int kErr = 1;

inline constexpr int kKeyRead = 1 << 0;
inline constexpr int kKeyWrite = 1 << 1;
inline constexpr int kKeyNoTouch = 1 << 16;

enum KeyType : int {
  kTypeEmpty = 0,
  kTypeString,
  kTypeList,
  kTypeHash,
  kTypeSet,
  kTypeZset,
  kTypeModule,
  kTypeStream,
};

enum ReplyType : int {
  kReplyUnknown = -1,
  kReplyString = 0,
  kReplyError,
  kReplyInteger,
  kReplyArray,
  kReplyNull,
};

inline constexpr int kStreamExclusive = 1 << 0;  ///< without the ends of the range
inline constexpr int kStreamReverse = 1 << 1;

inline constexpr int kCtxLua = 1 << 0;
inline constexpr int kCtxMulti = 1 << 1;
inline constexpr int kCtxSlave = 1 << 3;
inline constexpr int kCtxCluster = 1 << 5;
inline constexpr int kCtxReplicated = 1 << 12;  ///< from this server's master
inline constexpr int kCtxLoading = 1 << 13;
inline constexpr int kCtxReplicaTransfers = 1 << 16;
inline constexpr int kCtxAsyncLoading = 1 << 23;

inline constexpr int kNotifyGeneric = 1 << 2;
inline constexpr int kNotifyExpired = 1 << 8;
inline constexpr int kNotifyKeyMiss = 1 << 11;
inline constexpr int kNotifyLoaded = 1 << 12;
inline constexpr int kNotifyNew = 1 << 14;
/// Every class of keyspace event, those of servers to come too, but the two that tell of no change.
inline constexpr int kNotifyWrites = 0x7FFFFFFC & ~(kNotifyKeyMiss | kNotifyLoaded);

inline constexpr std::uint64_t kClientInfoVersion = 1;
inline constexpr std::uint64_t kClientInMulti = 1 << 5;

inline constexpr RedisModuleEvent kEventRoleChanged{0, 1};
inline constexpr RedisModuleEvent kEventFlushDb{2, 1};
inline constexpr RedisModuleEvent kEventLoading{3, 1};
inline constexpr RedisModuleEvent kEventClientChange{4, 1};
inline constexpr RedisModuleEvent kEventShutdown{5, 1};
inline constexpr RedisModuleEvent kEventMasterLink{7, 1};
inline constexpr RedisModuleEvent kEventCron{8, 1};
inline constexpr RedisModuleEvent kEventSwapDb{11, 1};
inline constexpr RedisModuleEvent kEventReplAsyncLoad{14, 1};
inline constexpr RedisModuleEvent kEventEventLoop{15, 1};
inline constexpr RedisModuleEvent kEventKey{17, 1};
inline constexpr RedisModuleEvent kEventAtomicSlotMigration{19, 1};  ///< of Valkey only

inline constexpr std::uint64_t kNowReplica = 1;
inline constexpr std::uint64_t kFlushEnd = 1;
inline constexpr std::uint64_t kLoadingReplicationStart = 2;
inline constexpr std::uint64_t kLoadingEnded = 3;
inline constexpr std::uint64_t kLoadingFailed = 4;
inline constexpr std::uint64_t kAsyncLoadStarted = 0;
inline constexpr std::uint64_t kAsyncLoadCompleted = 2;
inline constexpr std::uint64_t kClientDisconnected = 1;
inline constexpr std::uint64_t kMasterLinkUp = 0;
inline constexpr std::uint64_t kBeforeSleep = 0;

inline constexpr int kEventLoopReadable = 1;

inline constexpr unsigned kConfigDefault = 0;
inline constexpr unsigned kConfigMemory = 1 << 7;

inline constexpr int kFilterNoSelf = 1 << 0;
inline constexpr int kOptionHandleIoErrors = 1 << 0;
inline constexpr int kOptionHandleAsyncLoad = 1 << 2;
inline constexpr int kOptionHandleAtomicSlotMigration = 1 << 5;  ///< of Valkey only
inline constexpr int kAuxAfterRdb = 1 << 1;
inline constexpr int kYieldClients = 1 << 1;
inline constexpr std::uint64_t kTypeMethodVersion = 2;
inline constexpr int kApiVersion = 1;
inline constexpr long long kNoExpire = -1;
inline constexpr long kPostponedLength = -1;

inline constexpr int kArgString = 0;

}  // namespace rdmasync::redis

/// X(name, return type, parameters...): every function looked up as `RedisModule_<name>`.
#define RDMASYNC_MODULE_API(X)                                                                    \
  X(SetModuleAttribs, void, RedisModuleCtx*, const char*, int, int)                               \
  X(SetModuleOptions, void, RedisModuleCtx*, int)                                                 \
  X(CreateCommand, int, RedisModuleCtx*, const char*, RedisModuleCmdFunc, const char*, int, int,  \
    int)                                                                                          \
  X(GetCommand, RedisModuleCommand*, RedisModuleCtx*, const char*)                                \
  X(SetCommandInfo, int, RedisModuleCommand*, const RedisModuleCommandInfo*)                      \
  X(WrongArity, int, RedisModuleCtx*)                                                             \
  X(ReplyWithSimpleString, int, RedisModuleCtx*, const char*)                                     \
  X(ReplyWithError, int, RedisModuleCtx*, const char*)                                            \
  X(ReplyWithLongLong, int, RedisModuleCtx*, long long)                                           \
  X(ReplyWithArray, int, RedisModuleCtx*, long)                                                   \
  X(ReplyWithMap, int, RedisModuleCtx*, long)                                                     \
  X(ReplySetArrayLength, void, RedisModuleCtx*, long)                                             \
  X(ReplyWithStringBuffer, int, RedisModuleCtx*, const char*, size_t)                             \
  X(ReplyWithDouble, int, RedisModuleCtx*, double)                                                \
  X(ReplyWithNull, int, RedisModuleCtx*)                                                          \
  X(GetContextFlags, int, RedisModuleCtx*)                                                        \
  X(GetClientId, unsigned long long, RedisModuleCtx*)                                             \
  X(GetSelectedDb, int, RedisModuleCtx*)                                                          \
  X(SelectDb, int, RedisModuleCtx*, int)                                                          \
  X(DbSize, unsigned long long, RedisModuleCtx*)                                                  \
  X(OpenKey, RedisModuleKey*, RedisModuleCtx*, RedisModuleString*, int)                           \
  X(CloseKey, void, RedisModuleKey*)                                                              \
  X(GetKeyNameFromModuleKey, const RedisModuleString*, RedisModuleKey*)                           \
  X(KeyType, int, RedisModuleKey*)                                                                \
  X(ValueLength, size_t, RedisModuleKey*)                                                         \
  X(ListGet, RedisModuleString*, RedisModuleKey*, long)                                           \
  X(StringDMA, char*, RedisModuleKey*, size_t*, int)                                              \
  X(StringTruncate, int, RedisModuleKey*, size_t)                                                 \
  X(UnlinkKey, int, RedisModuleKey*)                                                              \
  X(StringSet, int, RedisModuleKey*, RedisModuleString*)                                          \
  X(GetAbsExpire, long long, RedisModuleKey*)                                                     \
  X(SetAbsExpire, int, RedisModuleKey*, long long)                                                \
  X(GetLRU, int, RedisModuleKey*, long long*)                                                     \
  X(SetLRU, int, RedisModuleKey*, long long)                                                      \
  X(GetLFU, int, RedisModuleKey*, long long*)                                                     \
  X(SetLFU, int, RedisModuleKey*, long long)                                                      \
  X(CreateString, RedisModuleString*, RedisModuleCtx*, const char*, size_t)                       \
  X(FreeString, void, RedisModuleCtx*, RedisModuleString*)                                        \
  X(StringPtrLen, const char*, const RedisModuleString*, size_t*)                                 \
  X(StringToLongLong, int, const RedisModuleString*, long long*)                                  \
  X(Call, RedisModuleCallReply*, RedisModuleCtx*, const char*, const char*, ...)                  \
  X(FreeCallReply, void, RedisModuleCallReply*)                                                   \
  X(CallReplyType, int, RedisModuleCallReply*)                                                    \
  X(CallReplyInteger, long long, RedisModuleCallReply*)                                           \
  X(CallReplyStringPtr, const char*, RedisModuleCallReply*, size_t*)                              \
  X(CallReplyLength, size_t, RedisModuleCallReply*)                                               \
  X(RetainString, void, RedisModuleCtx*, RedisModuleString*)                                      \
  X(CallReplyArrayElement, RedisModuleCallReply*, RedisModuleCallReply*, size_t)                  \
  X(Replicate, int, RedisModuleCtx*, const char*, const char*, ...)                               \
  X(Scan, int, RedisModuleCtx*, RedisModuleScanCursor*, RedisModuleScanCB, void*)                 \
  X(ScanKey, int, RedisModuleKey*, RedisModuleScanCursor*, RedisModuleScanKeyCB, void*)           \
  X(ZsetAdd, int, RedisModuleKey*, double, RedisModuleString*, int*)                              \
  X(ZsetRem, int, RedisModuleKey*, RedisModuleString*, int*)                                      \
  X(StreamAdd, int, RedisModuleKey*, int, RedisModuleStreamID*, RedisModuleString**, long)        \
  X(StreamIteratorStart, int, RedisModuleKey*, int, RedisModuleStreamID*, RedisModuleStreamID*)   \
  X(StreamIteratorStop, int, RedisModuleKey*)                                                     \
  X(StreamIteratorNextID, int, RedisModuleKey*, RedisModuleStreamID*, long*)                      \
  X(StreamIteratorNextField, int, RedisModuleKey*, RedisModuleString**, RedisModuleString**)      \
  X(ScanCursorCreate, RedisModuleScanCursor*)                                                     \
  X(ScanCursorDestroy, void, RedisModuleScanCursor*)                                              \
  X(RegisterCommandFilter, RedisModuleCommandFilter*, RedisModuleCtx*,                            \
    RedisModuleCommandFilterFunc, int)                                                            \
  X(CommandFilterArgsCount, int, RedisModuleCommandFilterCtx*)                                    \
  X(CommandFilterArgGet, RedisModuleString*, RedisModuleCommandFilterCtx*, int)                   \
  X(CommandFilterArgDelete, int, RedisModuleCommandFilterCtx*, int)                               \
  X(CommandFilterArgInsert, int, RedisModuleCommandFilterCtx*, int, RedisModuleString*)           \
  X(CommandFilterArgReplace, int, RedisModuleCommandFilterCtx*, int, RedisModuleString*)          \
  X(GetClientInfoById, int, void*, std::uint64_t)                                                 \
  X(GetClientUserNameById, RedisModuleString*, RedisModuleCtx*, std::uint64_t)                    \
  X(GetModuleUserFromUserName, RedisModuleUser*, RedisModuleString*)                              \
  X(FreeModuleUser, int, RedisModuleUser*)                                                        \
  X(ACLCheckCommandPermissions, int, RedisModuleUser*, RedisModuleString**, int)                  \
  X(AvoidReplicaTraffic, int)                                                                     \
  X(NotifyKeyspaceEvent, int, RedisModuleCtx*, int, const char*, RedisModuleString*)              \
  X(GetCommandKeys, int*, RedisModuleCtx*, RedisModuleString**, int, int*)                        \
  X(SubscribeToKeyspaceEvents, int, RedisModuleCtx*, int, RedisModuleNotificationFunc)            \
  X(SubscribeToServerEvent, int, RedisModuleCtx*, RedisModuleEvent, RedisModuleEventCallback)     \
  X(RegisterInfoFunc, int, RedisModuleCtx*, RedisModuleInfoFunc)                                  \
  X(InfoAddSection, int, RedisModuleInfoCtx*, const char*)                                        \
  X(InfoAddFieldCString, int, RedisModuleInfoCtx*, const char*, const char*)                      \
  X(InfoAddFieldLongLong, int, RedisModuleInfoCtx*, const char*, long long)                       \
  X(InfoAddFieldDouble, int, RedisModuleInfoCtx*, const char*, double)                            \
  X(RegisterStringConfig, int, RedisModuleCtx*, const char*, const char*, unsigned,               \
    RedisModuleConfigGetString, RedisModuleConfigSetString, RedisModuleConfigApply, void*)        \
  X(RegisterNumericConfig, int, RedisModuleCtx*, const char*, long long, unsigned, long long,     \
    long long, RedisModuleConfigGetNumeric, RedisModuleConfigSetNumeric, RedisModuleConfigApply,  \
    void*)                                                                                        \
  X(RegisterBoolConfig, int, RedisModuleCtx*, const char*, int, unsigned,                         \
    RedisModuleConfigGetBool, RedisModuleConfigSetBool, RedisModuleConfigApply, void*)            \
  X(RegisterEnumConfig, int, RedisModuleCtx*, const char*, int, unsigned, const char**,           \
    const int*, int, RedisModuleConfigGetEnum, RedisModuleConfigSetEnum, RedisModuleConfigApply,  \
    void*)                                                                                        \
  X(LoadConfigs, int, RedisModuleCtx*)                                                            \
  X(Log, void, RedisModuleCtx*, const char*, const char*, ...)                                    \
  X(BlockClient, RedisModuleBlockedClient*, RedisModuleCtx*, RedisModuleCmdFunc,                  \
    RedisModuleCmdFunc, void (*)(RedisModuleCtx*, void*), long long)                              \
  X(UnblockClient, int, RedisModuleBlockedClient*, void*)                                         \
  X(GetBlockedClientPrivateData, void*, RedisModuleCtx*)                                          \
  X(GetDetachedThreadSafeContext, RedisModuleCtx*, RedisModuleCtx*)                               \
  X(FreeThreadSafeContext, void, RedisModuleCtx*)                                                 \
  X(EventLoopAdd, int, int, int, RedisModuleEventLoopFunc, void*)                                 \
  X(EventLoopDel, int, int, int)                                                                  \
  X(EventLoopAddOneShot, int, RedisModuleEventLoopOneShotFunc, void*)                             \
  X(CreateDataType, RedisModuleType*, RedisModuleCtx*, const char*, int, RedisModuleTypeMethods*) \
  X(LoadStringBuffer, char*, RedisModuleIO*, size_t*)                                             \
  X(Free, void, void*)                                                                            \
  X(Yield, void, RedisModuleCtx*, int, const char*)                                               \
  X(GetServerInfo, RedisModuleServerInfoData*, RedisModuleCtx*, const char*)                      \
  X(FreeServerInfo, void, RedisModuleCtx*, RedisModuleServerInfoData*)                            \
  X(ServerInfoGetFieldC, const char*, RedisModuleServerInfoData*, const char*)

/// The same, for functions that some servers lack; null there.
#define RDMASYNC_OPTIONAL_MODULE_API(X)                                         \
  X(CommandFilterGetClientId, unsigned long long, RedisModuleCommandFilterCtx*) \
  X(GetKeyMeta, int, int, RedisModuleKey*, std::uint64_t*)

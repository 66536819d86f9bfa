#pragma once

#include <memory>
#include <string_view>

#include "module/redis/api.h"

/// Owners of what the server hands out, so that no free is written twice, and its strings as ours.
namespace rdmasync::redis {

struct Deleter {
  // No context: strings are ours alone and are made without automatic memory, on any thread.
  void operator()(RedisModuleString* s) const { FreeString(nullptr, s); }
  void operator()(RedisModuleKey* k) const { CloseKey(k); }
  void operator()(RedisModuleCallReply* r) const { FreeCallReply(r); }
  void operator()(RedisModuleScanCursor* c) const { ScanCursorDestroy(c); }
  void operator()(RedisModuleCtx* c) const { FreeThreadSafeContext(c); }
  void operator()(RedisModuleServerInfoData* d) const { FreeServerInfo(nullptr, d); }
  void operator()(RedisModuleUser* u) const { FreeModuleUser(u); }
};

using String = std::unique_ptr<RedisModuleString, Deleter>;
using Key = std::unique_ptr<RedisModuleKey, Deleter>;
using Reply = std::unique_ptr<RedisModuleCallReply, Deleter>;
using ScanCursor = std::unique_ptr<RedisModuleScanCursor, Deleter>;
using ServerInfo = std::unique_ptr<RedisModuleServerInfoData, Deleter>;
using User = std::unique_ptr<RedisModuleUser, Deleter>;

/// A context of the module's own, for code that no client asked for.
using Context = std::unique_ptr<RedisModuleCtx, Deleter>;

inline String make_string(std::string_view text) {
  return String{CreateString(nullptr, text.data(), text.size())};
}

/// A further reference to a string that somebody else will free.
inline String hold(RedisModuleString* s) {
  RetainString(nullptr, s);
  return String{s};
}

inline std::string_view view(const RedisModuleString* s) {
  std::size_t length = 0;
  const char* data = StringPtrLen(s, &length);
  return {data, length};
}

inline std::string_view view(RedisModuleCallReply* reply) {
  std::size_t length = 0;
  const char* data = CallReplyStringPtr(reply, &length);
  return data == nullptr ? std::string_view{} : std::string_view{data, length};
}

/// Replies with a bulk string.
inline void reply_text(RedisModuleCtx* ctx, std::string_view text) {
  ReplyWithStringBuffer(ctx, text.data(), text.size());
}

}  // namespace rdmasync::redis

#include "module/redis/blocked_client.h"

#include <memory>
#include <utility>

#include "module/redis/guard.h"

namespace rdmasync::redis {

namespace {

int write_reply(RedisModuleCtx* ctx, RedisModuleString**, int) {
  const auto* answer = static_cast<BlockedClient::Answer*>(GetBlockedClientPrivateData(ctx));
  return reply_guard(ctx, [&] { (*answer)(ctx); });
}

void free_answer(RedisModuleCtx*, void* answer) {
  const std::unique_ptr<BlockedClient::Answer> mine{static_cast<BlockedClient::Answer*>(answer)};
}

}  // namespace

BlockedClient::BlockedClient(RedisModuleCtx* ctx)
    : client_(BlockClient(ctx, write_reply, nullptr, free_answer, 0)) {}

BlockedClient::~BlockedClient() {
  reply([](RedisModuleCtx* ctx) { ReplyWithError(ctx, "ERR the export ended; attach again"); });
}

void BlockedClient::reply(Answer answer) {
  if (client_ == nullptr) return;
  auto owned = std::make_unique<Answer>(std::move(answer));
  UnblockClient(std::exchange(client_, nullptr), owned.release());
}

}  // namespace rdmasync::redis

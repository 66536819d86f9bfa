#include "module/master/requests.h"

#include <string>

#include "module/master/exports.h"
#include "module/protocol/replies.h"
#include "module/protocol/requests.h"
#include "module/redis/reply_fields.h"
#include "module/redis/server.h"
#include "rdmasync/error.h"

namespace rdmasync::master {

namespace {

namespace request = protocol::request;

void reply_ok(RedisModuleCtx* ctx) {
  redis::ReplyWithSimpleString(ctx, "OK");
}

/// One overload for each request.
class Answerer {
 public:
  Answerer(RedisModuleCtx* ctx, Exports& exports)
      : ctx_(ctx), exports_(exports), client_(redis::GetClientId(ctx)) {}

  void operator()(const request::Ack& ack) { exports_.acknowledge(client_, ack.position); }

  // With their first words every server asks again in a second.
  void operator()(const request::NotYet&) {
    redis::ReplyWithError(
        ctx_, "NOMASTERLINK rdmasync: this replica has not yet taken up its master's stream");
  }
  void operator()(const request::AskAgain&) {
    redis::ReplyWithError(ctx_, "LOADING rdmasync: this server cannot answer that now, ask again");
  }
  void operator()(const request::Loading&) {
    redis::ReplyWithError(ctx_, "LOADING rdmasync: this replica is about to load a dataset");
  }

  void operator()(const request::Hello&) {
    psyncs().hello(client_);
    const redis::Info replication("replication");
    redis::reply_fields(
        ctx_, to_fields(protocol::Hello{.run_id = redis::Info("server").text("run_id"),
                                        .has_backlog = redis::has_backlog(),
                                        .replication_id = replication.text("master_replid"),
                                        .second_id = replication.text("master_replid2")}));
  }
  void operator()(const request::Attach& attach) {
    refuse_where_no_cut_can_be(ctx_);
    exports_.attach(ctx_, attach.fabric);
  }
  void operator()(const request::Prime&) {
    exports_.prime(ctx_);
    reply_ok(ctx_);
  }
  void operator()(const request::Cut&) {
    refuse_where_no_cut_can_be(ctx_);
    exports_.cut(ctx_);
  }
  void operator()(const request::Detach&) {
    exports_.leave(client_);
    reply_ok(ctx_);
  }

  void operator()(const request::Native& native) {
    psyncs().native(client_, {native.addresses.begin(), native.addresses.end()});
    reply_ok(ctx_);
  }
  void operator()(const request::Await& await) {
    refuse_where_no_cut_can_be(ctx_);
    psyncs().await(ctx_, std::chrono::milliseconds(await.milliseconds));
  }
  void operator()(const request::Answer& answer) {
    redis::reply_fields(
        ctx_, to_fields(psyncs().answer(client_, answer.session, answer.stub, answer.inserts)));
  }
  void operator()(const request::Later& later) {
    psyncs().later(client_, later.reason);
    reply_ok(ctx_);
  }
  void operator()(const request::Decline& decline) {
    psyncs().decline(client_, decline.reason);
    reply_ok(ctx_);
  }
  void operator()(const request::Psync&) {
    refuse_where_no_cut_can_be(ctx_);
    psyncs().psync(ctx_);
  }
  void operator()(const request::Fill& fill) { psyncs().fill(ctx_, fill.session, fill.offset); }

 private:
  PsyncAnswers& psyncs() { return exports_.psyncs(); }

  RedisModuleCtx* ctx_;
  Exports& exports_;
  Export::ClientId client_;
};

}  // namespace

void run_request(RedisModuleCtx* ctx, Exports& exports, std::span<const std::string_view> words) {
  exports.heard(redis::GetClientId(ctx));
  std::visit(Answerer(ctx, exports), protocol::request_from(words));
}

void refuse_where_no_cut_can_be(RedisModuleCtx* ctx) {
  const int flags = redis::GetContextFlags(ctx);
  if ((flags & (redis::kCtxMulti | redis::kCtxLua)) != 0) {
    throw Error(Errc::kUsage, "RDMASYNC.EXPORT cannot run in a transaction or a script");
  }
}

}  // namespace rdmasync::master

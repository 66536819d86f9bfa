#include "module/replica/emptying.h"

#include "module/redis/context.h"
#include "module/redis/server.h"
#include "module/replica/dataset_gap.h"

namespace rdmasync::replica {

namespace {

void empty_all() {
  const redis::Context ctx = redis::make_context();
  for (const auto& [db, count] : redis::keys_by_database()) {
    redis::SelectDb(ctx.get(), static_cast<int>(db));
    redis::call(ctx.get(), redis::kFlushDb, {"ASYNC"});
  }
}

}  // namespace

void Emptying::hold(redis::HeldSettings::Client holder) {
  holder_ = holder;
  held_ = true;
  emptied_ = false;
}

void Emptying::release() {
  held_ = false;
  DatasetGap::end();
}

void Emptying::loading_began() {
  DatasetGap::end();
}

void Emptying::before_sleep() {
  if (!held_) {
    return;
  }
  // The server has its answer, for which it makes a file unless the setting is kBeside, or it is
  // empty; and goes on with it in one of the next turns of its event loop.
  RedisModuleCtx* ctx = redis::module_context();
  const bool transfers = (redis::GetContextFlags(ctx) & redis::kCtxReplicaTransfers) != 0;
  if (transfers == emptied_) {
    return;
  }
  if (transfers) {
    empty_all();
  }
  settings_.hold(ctx, holder_, {{kSetting, transfers ? kIntoEmpty : kBeside}});
  emptied_ = transfers;
  if (transfers) {
    DatasetGap::begin();
  } else {
    DatasetGap::end();
  }
}

}  // namespace rdmasync::replica

#include "module/master/preparation.h"

#include <utility>

#include "rdma/thread.h"

namespace rdmasync::master {

namespace {

std::unique_ptr<rdma::Listener> listen(rdma::Fabric& fabric, const std::string& bind) {
  try {
    return fabric.listen({bind});
  } catch (const Error& error) {
    throw Error(error.code(), std::string(error.what()) + "; rdmasync.bind says where to listen");
  }
}

}  // namespace

Preparation::Preparation(Wanted wanted)
    : wanted_(std::move(wanted)),
      thread_(rdma::start_thread("rdmasync-open", [this](const std::stop_token&) { run(); })) {}

void Preparation::block(RedisModuleCtx* ctx, RedisModuleCmdFunc reply, void* data) {
  RedisModuleBlockedClient* client = redis::BlockClient(ctx, reply, nullptr, nullptr, 0);
  const std::lock_guard lock(mutex_);
  if (over_since_) {
    redis::UnblockClient(client, data);
  } else {
    waiting_.push_back({client, data});
  }
}

Preparation::Made* Preparation::made() {
  const std::lock_guard lock(mutex_);
  return over_since_ ? &made_ : nullptr;
}

std::optional<std::chrono::steady_clock::time_point> Preparation::over_since() {
  const std::lock_guard lock(mutex_);
  return over_since_;
}

void Preparation::run() {
  try {
    rdma::Fabric* fabric = wanted_.open;
    if (fabric == nullptr) {
      made_.fabric = rdma::make_fabric(wanted_.fabric);
      made_.listener = listen(*made_.fabric, wanted_.bind);
      fabric = made_.fabric.get();
    }
    made_.log = std::make_unique<log::Ring>(*fabric, wanted_.log_bytes);
  } catch (const Error& error) {
    made_.error = error;
  } catch (const std::exception& error) {
    made_.error = Error(Errc::kResources, error.what());
  }
  const std::lock_guard lock(mutex_);
  over_since_ = std::chrono::steady_clock::now();
  for (const Waiting& one : waiting_) {
    redis::UnblockClient(one.client, one.data);
  }
  waiting_.clear();
}

}  // namespace rdmasync::master

#include "module/master/backlog_primer.h"

#include "module/redis/context.h"
#include "module/redis/server.h"

namespace rdmasync::master {

namespace {

// A new replica then waits an hour for others before the server forks for it: far longer than the
// priming takes.
const std::map<std::string, std::string> kWhilePriming = {
    {"repl-diskless-sync-delay", "3600"},
    {"repl-diskless-sync-max-replicas", "0"},
    {"repl-diskless-sync", "yes"},
};

}  // namespace

bool BacklogPrimer::needed() {
  return redis::Info("replication").number("repl_backlog_active") == 0;
}

void BacklogPrimer::begin(RedisModuleCtx* ctx, Export::ClientId client) {
  if (clients_.empty()) {
    for (const auto& [name, value] : kWhilePriming) {
      saved_[name] = redis::config_get(ctx, name);
      redis::config_set(ctx, name, value);
    }
  }
  clients_.insert(client);
}

void BacklogPrimer::finish(Export::ClientId client) {
  if (clients_.erase(client) == 0 || !clients_.empty()) return;
  for (const auto& [name, value] : saved_) {
    redis::config_set(redis::module_context(), name, value);
  }
  saved_.clear();
}

}  // namespace rdmasync::master

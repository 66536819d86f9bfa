#include "module/master/held_settings.h"

#include <utility>

#include "module/redis/context.h"
#include "module/redis/server.h"

namespace rdmasync::master {

void HeldSettings::hold(RedisModuleCtx* ctx, Client client, const Values& values) {
  if (clients_.empty()) {
    for (const auto& [name, value] : values) {
      std::string before = redis::config_get(ctx, name);
      redis::config_set(ctx, name, value);
      held_[name] = {std::move(before), redis::config_get(ctx, name)};
    }
  }
  clients_.insert(client);
}

void HeldSettings::release(Client client) {
  if (clients_.erase(client) == 0 || !clients_.empty()) {
    return;
  }
  RedisModuleCtx* ctx = redis::module_context();
  for (const auto& [name, held] : held_) {
    if (redis::config_get(ctx, name) == held.now) {
      redis::config_set(ctx, name, held.before);
    }
  }
  held_.clear();
}

}  // namespace rdmasync::master

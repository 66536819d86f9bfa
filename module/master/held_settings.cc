#include "module/master/held_settings.h"

#include "module/redis/context.h"
#include "module/redis/server.h"

namespace rdmasync::master {

void HeldSettings::hold(RedisModuleCtx* ctx, Client client, const Values& values) {
  if (clients_.empty()) {
    for (const auto& [name, value] : values) {
      saved_[name] = redis::config_get(ctx, name);
      redis::config_set(ctx, name, value);
    }
  }
  clients_.insert(client);
}

void HeldSettings::release(Client client) {
  if (clients_.erase(client) == 0 || !clients_.empty()) return;
  for (const auto& [name, value] : saved_) {
    redis::config_set(redis::module_context(), name, value);
  }
  saved_.clear();
}

}  // namespace rdmasync::master

#pragma once

#include <map>
#include <set>
#include <string>

#include "module/redis/api.h"

namespace rdmasync::master {

/// Settings of this server that have another value for as long as a client needs it so. Main thread
/// only.
class HeldSettings {
 public:
  using Client = unsigned long long;
  using Values = std::map<std::string, std::string>;

  /// Until release() of the last client that holds them; the first one decides the values.
  void hold(RedisModuleCtx* ctx, Client client, const Values& values);
  void release(Client client);

 private:
  std::set<Client> clients_;
  Values saved_;
};

}  // namespace rdmasync::master

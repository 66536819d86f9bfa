#pragma once

#include <map>
#include <set>
#include <string>

#include "module/redis/api.h"

namespace rdmasync::master {

/// Settings of this server that have another value for as long as a client needs it so. One that
/// somebody sets to something else meanwhile is theirs, and stays. Main thread only.
class HeldSettings {
 public:
  using Client = unsigned long long;
  using Values = std::map<std::string, std::string>;

  /// Until release() of the last client that holds them; the first one decides the values.
  void hold(RedisModuleCtx* ctx, Client client, const Values& values);
  void release(Client client);

 private:
  struct Held {
    std::string before;
    std::string now;  ///< as the server tells it
  };

  std::set<Client> clients_;
  std::map<std::string, Held> held_;
};

}  // namespace rdmasync::master

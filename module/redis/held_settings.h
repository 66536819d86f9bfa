#pragma once

#include <map>
#include <set>
#include <string>

#include "module/redis/api.h"

namespace rdmasync::redis {

/// Settings of this server that have another value for as long as a client needs it so. One that
/// somebody sets to something else meanwhile is theirs, and stays. Main thread only.
class HeldSettings {
 public:
  using Client = unsigned long long;
  using Values = std::map<std::string, std::string>;

  HeldSettings();
  HeldSettings(const HeldSettings&) = delete;
  HeldSettings& operator=(const HeldSettings&) = delete;
  ~HeldSettings();

  /// Until release() of the last client that holds them; the last hold() decides the values.
  void hold(RedisModuleCtx* ctx, Client client, const Values& values);
  void release(Client client);

  /// Whether this server has any.
  static bool any();

  /// CONFIG REWRITE as if nothing were held. A backlog that is larger than it may be without is not
  /// given up for that, nor can everything be changed during a load: then the file is written once
  /// more when what is held is released. Throws Error(kRefused).
  static void rewrite_config(RedisModuleCtx* ctx);

 private:
  struct Held {
    std::string before;
    std::string now;  ///< as the server tells it
  };
  void put_back(RedisModuleCtx* ctx);

  std::set<Client> clients_;
  std::map<std::string, Held> held_;
  bool rewrite_when_released_ = false;
};

}  // namespace rdmasync::redis

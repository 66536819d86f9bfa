#pragma once

#include <map>
#include <set>
#include <string>

#include "module/master/export.h"

namespace rdmasync::master {

/// Lets a master that never had a replica make its replication backlog, without a fork.
///
/// Without a backlog the offset stands still and no partial resync is possible. The server makes
/// one when a replica asks for its first sync; the attaching replica does so and hangs up before
/// the server forks, which is sure only with the settings held here meanwhile. Main thread only.
class BacklogPrimer {
 public:
  static bool needed();

  /// Until finish() of the last client that began.
  void begin(RedisModuleCtx* ctx, Export::ClientId client);
  void finish(Export::ClientId client);

 private:
  std::set<Export::ClientId> clients_;
  std::map<std::string, std::string> saved_;
};

}  // namespace rdmasync::master

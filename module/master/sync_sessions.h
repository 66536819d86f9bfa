#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "module/redis/api.h"

namespace rdmasync::master {

/// The syncs whose replica was given a stub, by the ids that it was told in place of this master's
/// own. Main thread only.
class SyncSessions {
 public:
  struct Session {
    std::string replication_id;
    std::int64_t begin = 0;           ///< the offset that was told with it
    std::optional<std::int64_t> cut;  ///< of the replica's dataset; nothing: it is still being read
    bool inserts = false;  ///< what was answered brings it to the cut, or it must begin anew

    /// Whether a `PSYNC <id> <offset>` comes from one that has loaded the stub and lacks nothing of
    /// the stream before the cut, or lacks the filler that brings it there.
    bool is_whole(std::int64_t offset) const { return cut && offset == *cut + 1; }
    bool lacks_filler(std::int64_t offset) const {
      return cut && !inserts && offset > begin && offset <= *cut;
    }
  };

  void add(const std::string& id, Session session);
  void was_cut(const std::string& id, std::int64_t cut);
  void forget(const std::string& id) { sessions_.erase(id); }
  /// Null if there is none.
  const Session* find(const std::string& id) const;

 private:
  std::map<std::string, Session> sessions_;
  std::deque<std::string> by_age_;
};

/// Replies to a PSYNC that lacks_filler().
void reply_with_filler(RedisModuleCtx* ctx, const std::string& id,
                       const SyncSessions::Session& session, std::int64_t offset);

}  // namespace rdmasync::master

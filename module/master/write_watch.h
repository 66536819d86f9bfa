#pragma once

#include <cstdint>
#include <string_view>

#include "module/master/named_change.h"
#include "module/redis/api.h"

namespace rdmasync::master {

/// Who wants to know what is written. Every call comes on the main thread, while or before the
/// write happens.
class WriteListener {
 public:
  WriteListener() = default;
  WriteListener(const WriteListener&) = delete;
  WriteListener& operator=(const WriteListener&) = delete;
  virtual ~WriteListener() = default;

  /// `change`: all that was written of it, or null if that is not known. `by`: the event or the
  /// command that tells of it.
  virtual void written(std::uint32_t db, std::string_view key, const NamedChange* change,
                       std::string_view by) = 0;
  /// Whether anybody asks for changes.
  virtual bool follows_parts() const = 0;
  /// Of a key of that name, in any database.
  virtual bool follows_parts_of(std::string_view key) const = 0;
  /// From now on commands may run after others that were seen later.
  virtual void stop_following_parts() = 0;
  /// A command was named that may write this key, in an unknown database, now or when its
  /// transaction runs, and sends no keyspace notification when it does. `groups_only`: nothing of
  /// it but the groups of a stream.
  virtual void written_silently(std::string_view key, bool groups_only) = 0;
  /// A command is about to write this key, in an unknown database.
  virtual void written_somewhere(std::string_view key) = 0;
  /// A command that names no key and tells of none may write now.
  virtual void written_anywhere(std::string_view command) = 0;
};

/// Watches the keyspace by notifications and a command filter (command_watch.h).
/// Neither is enough alone: notifications miss what some commands do, and a filter misses expiry,
/// eviction and what a blocked client does when it is served.
///
/// From the first call on the server notifies; the filter is there only while it is asked for, as
/// it costs every command some 50 ns. Main thread only.
void start_watching(WriteListener& listener);
void stop_watching();

/// Of a key event, where notifications cannot be used for it. Main thread.
void key_gone(RedisModuleCtx* ctx, RedisModuleKey* key);

/// Finds out, once, how far this server's notifications can be used. To be called before
/// start_watching(), and by a command: a fault of theirs shows only there. Main thread.
void try_notifications(RedisModuleCtx* ctx);

}  // namespace rdmasync::master

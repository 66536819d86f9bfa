#pragma once

#include <cstdint>
#include <string_view>

namespace rdmasync::master {

/// Who wants to know what is written. Every call comes on the main thread, while or before the
/// write happens.
class WriteListener {
 public:
  WriteListener() = default;
  WriteListener(const WriteListener&) = delete;
  WriteListener& operator=(const WriteListener&) = delete;
  virtual ~WriteListener() = default;

  virtual void written(std::uint32_t db, std::string_view key) = 0;
  /// A command was named that may write this key, in an unknown database, now or when its
  /// transaction runs, and sends no keyspace notification when it does.
  virtual void written_silently(std::string_view key) = 0;
  virtual void flushed(std::uint32_t db) = 0;  ///< or kAllDatabases
  virtual void swapped(std::uint32_t a, std::uint32_t b) = 0;
  /// The keyspace was replaced, or is no longer ours to publish.
  virtual void dataset_gone(std::string_view why) = 0;
};

/// Watches the keyspace by notifications, server events and a command filter. Neither is enough
/// alone: notifications miss what `kSilentCommands` do (seen on 7.0 to 7.4 and Valkey 7.2 to 8.0),
/// and a filter misses expiry, eviction and what a blocked client does when it is served.
///
/// From the first call on the server notifies; the filter is there only while it is asked for, as
/// it costs every command some 50 ns. Main thread only.
void start_watching(WriteListener& listener);
void stop_watching();

}  // namespace rdmasync::master

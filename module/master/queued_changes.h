#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "module/master/key_name.h"
#include "module/master/named_change.h"

namespace rdmasync::master {

/// What the commands of transactions name: they are seen when they are queued, and not again when
/// they run. Main thread only.
class QueuedChanges {
 public:
  using Client = unsigned long long;

  /// Its transaction begins: from now on all is known that it queues.
  void begin(Client client);
  bool has_begun(Client client) const { return queues_.contains(client); }
  /// It was discarded.
  void forget(Client client) { queues_.erase(client); }
  /// It has queued a command.
  void add(Client client, std::vector<NamedChange> changes);
  /// What it has queued runs now, until the next of these two.
  void run(Client client);
  void end_run() { running_.clear(); }
  bool runs() const { return !running_.empty(); }

  /// What the commands that run have named of this key, if one of them may be what the server tells
  /// of now; or null. It may be more than that one has named. Good until the next call.
  NamedChange* named(std::string_view event, std::string_view key);

 private:
  /// All that they name of one key.
  struct OfKey {
    std::size_t commands = 0;
    std::set<std::string_view> events = {};
    NamedChange all = {};
    /// Of a list, if it is the same each time: what is not depends on the order, and on which of
    /// them the server refuses.
    NamedChange trimmed = {};
    bool trimmed_so = true;
  };

  static void add(OfKey& key, NamedChange change);
  void drop_if_too_much();

  std::unordered_map<Client, std::vector<NamedChange>> queues_;
  std::size_t bytes_ = 0;  ///< of names in queues_, at most
  std::map<std::string, OfKey, std::less<>> running_;
};

}  // namespace rdmasync::master

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "module/protocol/replies.h"
#include "module/replica/control_connection.h"
#include "module/replica/own_server.h"
#include "module/replica/staging.h"

/// Whether a master and what it has are something that this server can take. For one thread of
/// ours.
namespace rdmasync::replica {

/// Asks the master who it is. Throws Error.
protocol::Hello say_hello(ControlConnection& link);

/// The first command, so that what keeps every sync from working is said in its own words. `name`:
/// of the master, for people. Throws Error.
void check_master(ControlConnection& link, const std::string& name, const std::string& own_run_id);

/// What would end this server, or be lost, if it were loaded. Any thread.
class Suitability {
 public:
  /// `of_master`: its modules, by name.
  Suitability(const OwnFacts& facts, const std::string& of_master);

  /// A key that is whole. Throws Error(kUsage).
  void check(std::uint32_t db, std::string_view key, const Incoming& incoming) const;
  void check(const Staging& staging) const;
  /// A server ends that is told of more databases than it has.
  void check_database(std::uint32_t db) const;

 private:
  std::uint32_t databases_;
  std::string missing_;  ///< modules
};

}  // namespace rdmasync::replica

#pragma once

#include <string>

#include "module/protocol/export.h"
#include "module/replica/control_connection.h"
#include "module/replica/own_server.h"
#include "module/replica/staging.h"

/// Whether a master and what it has are something that this server can take. For one thread of
/// ours.
namespace rdmasync::replica {

/// Where the master's stream is. Throws Error.
protocol::Position position_of(ControlConnection& link);

/// The first command, so that what keeps every sync from working is said in its own words. `name`:
/// of the master, for people. Throws Error.
void check_master(ControlConnection& link, const std::string& name, const std::string& own_run_id);

/// What would end this server, or be lost, if it were loaded. `of_master`: its modules, by name.
/// Throws Error(kUsage).
void check_dataset(const Staging& staging, const OwnFacts& facts, const std::string& of_master);

}  // namespace rdmasync::replica

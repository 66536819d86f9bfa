#pragma once

#include <memory>
#include <string>

#include "module/protocol/export.h"
#include "module/replica/control_connection.h"
#include "module/replica/log_buffers.h"
#include "rdma/fabric.h"

namespace rdmasync::replica {

/// A place in an export of the master: its log, and the connection that reads it.
struct Attachment {
  std::unique_ptr<rdma::Fabric> fabric;
  std::unique_ptr<LogBuffers> records;  ///< what is read from the log
  std::unique_ptr<rdma::Connection> connection;
  protocol::Attached place;
};

/// What this server loads.
struct Loader {
  int rdb_version = 0;
  std::string server;  ///< its name and version
};

/// Attaches over `fabric`, or, when that is "auto", over the best one that reaches the master: the
/// log says which, and why not a better one. Sees to it that the master has a backlog. Throws when
/// none does.
Attachment attach(ControlConnection& link, const MasterAddress& master, const std::string& fabric,
                  const Loader& own, const std::stop_token& stop);

}  // namespace rdmasync::replica

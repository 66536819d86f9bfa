#pragma once

#include <memory>
#include <string>

#include "module/protocol/replies.h"
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

/// What the master, or its log, is told of this server.
struct OwnIdentity {
  int rdb_version = 0;     ///< that it loads
  std::string server;      ///< its name and version
  std::string ip;          ///< as it announces it; empty: as the master sees it
  int listening_port = 0;  ///< as it announces it
};

/// Attaches over `fabric`, or, when that is "auto", over the best one that reaches the master: the
/// log says which, and why not a better one. Sees to it that the master has a backlog. Throws when
/// none does.
Attachment attach(ControlConnection& link, const MasterAddress& master, const std::string& fabric,
                  const OwnIdentity& own, const std::stop_token& stop);

}  // namespace rdmasync::replica

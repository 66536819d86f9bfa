#pragma once

#include <memory>
#include <string>
#include <vector>

#include "module/replica/master_link.h"
#include "module/replica/record_store.h"
#include "rdma/fabric.h"

namespace rdmasync::replica {

/// A place in an export of the master: its log, and the connection that reads it.
struct Attachment {
  std::unique_ptr<rdma::Fabric> fabric;
  std::unique_ptr<RecordStore> records;  ///< what is read from the log
  std::unique_ptr<rdma::Connection> connection;
  std::string fabric_name;
  std::string export_number;
  std::uint64_t session = 0;
  std::uint64_t log_address = 0;
  std::vector<std::uint32_t> log_rkeys;  ///< of its parts
  std::size_t part_size = SIZE_MAX;      ///< bytes, of every region of the master
  std::uint64_t capacity = 0;
  int rdb_version = 0;
  std::string modules;  ///< that the master has loaded, by name
};

/// What this server loads.
struct Loader {
  int rdb_version = 0;
  std::string server;  ///< its name and version
};

/// Attaches over `fabric`, or, when that is "auto", over the best one that reaches the master: the
/// log says which, and why not a better one. Sees to it that the master has a backlog. Throws when
/// none does.
Attachment attach(MasterLink& link, const MasterAddress& master, const std::string& fabric,
                  const Loader& own, const std::stop_token& stop);

}  // namespace rdmasync::replica

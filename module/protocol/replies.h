#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rdma/fabric.h"

/// What a master answers to RDMASYNC.EXPORT: made of fields, and fields made of it, in one place
/// for both ends. On the wire a reply is a flat list of names and texts (rdmasync/protocol.h has
/// them); one that this end does not know is skipped.
namespace rdmasync::protocol {

using Fields = std::vector<std::pair<std::string, std::string>>;

/// To ATTACH: a place in an export, and how to read it.
struct Attached {
  std::string endpoint;  ///< for Fabric::connect
  rdma::Token token{};
  std::uint64_t session = 0;         ///< number of this place in the export
  std::uint64_t log_address = 0;     ///< of the LogHeader
  std::vector<std::uint32_t> rkeys;  ///< of header and ring, one region: for each of its parts
  std::uint64_t part_size = 0;       ///< bytes of every region's parts, but the last of each
  std::uint64_t capacity = 0;        ///< bytes of the ring
  std::uint64_t export_number = 0;   ///< for the logs
  int rdb_version = 0;               ///< of the packed values
  std::string server;                ///< its name and version, for people
  std::string modules;               ///< that are loaded, by name, with spaces between them
  bool has_backlog = false;
  bool fills = false;                           ///< has filler for who is answered before the cut
  std::map<std::uint32_t, std::uint64_t> keys;  ///< by database: how many there are now
};

/// To CUT.
struct CutReply {
  /// Not yet: too much was written meanwhile. It is being published, so ask again after this round
  /// has ended in the log. 0: it is cut, and the rest tells where.
  std::uint64_t again_after_round = 0;
  bool asking = false;  ///< and say ASKING before, of a cluster's server
  std::string replication_id;
  std::int64_t offset = 0;
  std::uint32_t stream_db = 0;  ///< the database in which the stream goes on after it
  std::int64_t keys = 0;        ///< that were left to copy
  std::int64_t us = 0;          ///< of the main thread that this took
  bool forced = false;          ///< although rounds did not leave less and less
};

/// To HELLO.
struct Hello {
  std::string run_id;  ///< of the master
  bool has_backlog = false;
  std::string replication_id;
  std::string second_id;  ///< of its former master

  bool has_history(std::string_view id) const { return id == replication_id || id == second_id; }
};

/// To AWAIT.
struct Waits {
  bool psync = false;  ///< one waits for an answer
};

/// To ANSWER.
struct Answered {
  bool psync = false;       ///< one waited, and was answered
  std::int64_t offset = 0;  ///< that was told with the session, if so
};

Fields to_fields(const Attached& reply);
Fields to_fields(const CutReply& reply);
Fields to_fields(const Hello& reply);
Fields to_fields(const Waits& reply);
Fields to_fields(const Answered& reply);

/// Throw Error(kProtocol), which names the field, if one lacks or is not what it should be.
Attached attached_from(const Fields& fields);
CutReply cut_reply_from(const Fields& fields);
Hello hello_from(const Fields& fields);
Waits waits_from(const Fields& fields);
Answered answered_from(const Fields& fields);

}  // namespace rdmasync::protocol

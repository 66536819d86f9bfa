#pragma once

#include <cstdint>

/// What master and replica say to each other over TCP, as Redis commands. Everything else crosses
/// the fabric (log_format.h).
namespace rdmasync::protocol {

/// Both ends must have the same; there is no negotiation.
inline constexpr std::int64_t kVersion = 12;

/// `RDMASYNC.EXPORT <request> ...`, on the replica's control connection, which is its session: when
/// it closes, the replica has left. module/protocol/requests.h lists the requests, replies.h what
/// is answered. -ERR names the cause.
inline constexpr const char* kExportCommand = "RDMASYNC.EXPORT";

/// `RDMASYNC.INSERT`, from a master only: the replica inserts a part of the copy, or with the last
/// one what is left of it.
inline constexpr const char* kInsertCommand = "RDMASYNC.INSERT";

}  // namespace rdmasync::protocol

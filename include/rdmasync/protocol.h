#pragma once

#include <cstdint>

/// What master and replica say to each other over TCP, as Redis commands on the replica's control
/// connection. Everything else crosses the fabric (log_format.h).
namespace rdmasync::protocol {

/// Both ends must have the same; there is no negotiation.
inline constexpr std::int64_t kVersion = 4;

/// `RDMASYNC.EXPORT ATTACH <version> <fabric> <listening port>` joins an export, or starts one.
/// The connection is the session: when it closes, the replica has left.
///
/// Reply: a flat list of names and values, `kAttach...` below. -ERR names the cause.
inline constexpr const char* kExportCommand = "RDMASYNC.EXPORT";
inline constexpr const char* kAttach = "ATTACH";

inline constexpr const char* kAttachEndpoint = "endpoint";  ///< for Fabric::connect
inline constexpr const char* kAttachToken = "token";        ///< 32 hex digits
inline constexpr const char* kAttachSession = "session";    ///< number of this place in the export
inline constexpr const char* kAttachLog = "log";            ///< address of the LogHeader
/// Of header and ring, one region: decimal, separated by commas, for each of its parts.
inline constexpr const char* kAttachRkeys = "rkeys";
/// Bytes of the parts of every region of this master, but the last of each.
inline constexpr const char* kAttachPartSize = "part-size";
inline constexpr const char* kAttachCapacity = "capacity";  ///< bytes of the ring
inline constexpr const char* kAttachExport = "export";      ///< number of the export, for the logs
inline constexpr const char* kAttachRdbVersion = "rdb-version";  ///< of the packed values
inline constexpr const char* kAttachServer = "server";    ///< its name and version, for people
inline constexpr const char* kAttachModules = "modules";  ///< that are loaded, by name
inline constexpr const char* kAttachBacklog = "backlog";  ///< 1 if the master has one

/// `RDMASYNC.EXPORT PRIME` lets the replica open a short-lived `PSYNC ? -1` that makes the master
/// create its backlog without a fork; `RDMASYNC.EXPORT PRIMED` ends that. Both reply +OK.
inline constexpr const char* kPrime = "PRIME";
inline constexpr const char* kPrimed = "PRIMED";

/// `RDMASYNC.EXPORT ACK <position>`: every record before the position is consumed and every direct
/// read of one has completed. No reply.
inline constexpr const char* kAck = "ACK";

/// `RDMASYNC.EXPORT CUT`.
///
/// Reply: [kCutDone, replication id, offset, bytes of the stream since the replica attached, size
/// of the backlog, keys that were left to copy, microseconds of the main thread that this took, 1
/// if the cut was made although rounds did not leave less and less, or else 0]: the log up to the
/// kCut record of this session, which comes as soon as the log has room for all before it, is the
/// dataset at that offset, and the stream after the offset begins in database 0. What the log holds
/// behind that record is for others: applying it would double writes. Or [kCutAgain, n]: too much
/// has been written meanwhile; it is being published, so ask again after the n-th kRoundEnd of the
/// log. -ERR if rounds do not help and the cut would take too long.
inline constexpr const char* kCut = "CUT";
inline constexpr const char* kCutDone = "cut";
inline constexpr const char* kCutAgain = "again";

/// `RDMASYNC.EXPORT DETACH`: the replica has all it needs of the log. +OK; the connection stays.
inline constexpr const char* kDetach = "DETACH";

/// `RDMASYNC.EXPORT OFFSET`: [the master's replication offset, bytes of its backlog (0: it has
/// none), its run id].
inline constexpr const char* kOffset = "OFFSET";

}  // namespace rdmasync::protocol

#pragma once

#include <cstdint>

/// What master and replica say to each other over TCP, as Redis commands on the replica's control
/// connection. Everything else crosses the fabric (log_format.h).
namespace rdmasync::protocol {

/// Both ends must have the same; there is no negotiation.
inline constexpr std::int64_t kVersion = 5;

/// `RDMASYNC.EXPORT ATTACH <version> <fabric>` joins an export, or starts one. The connection is
/// the session: when it closes, the replica has left.
///
/// Replies are flat lists of names and values, which module/protocol/export.h lists. -ERR names the
/// cause.
inline constexpr const char* kExportCommand = "RDMASYNC.EXPORT";
inline constexpr const char* kAttach = "ATTACH";

/// `RDMASYNC.EXPORT PRIME` lets the replica open a short-lived `PSYNC ? -1` that makes the master
/// create its backlog without a fork; `RDMASYNC.EXPORT PRIMED` ends that. Both reply +OK.
inline constexpr const char* kPrime = "PRIME";
inline constexpr const char* kPrimed = "PRIMED";

/// `RDMASYNC.EXPORT ACK <position>`: every record before the position is consumed and every direct
/// read of one has completed. Said again now and then while that takes long. No reply.
inline constexpr const char* kAck = "ACK";

/// `RDMASYNC.EXPORT CUT`: the reply gives an offset of the master's stream. The log up to the kCut
/// record of this session, which comes as soon as the log has room for all before it, is the
/// dataset at that offset, and the stream after the offset begins in database 0. What the log holds
/// after that record is for others: applying it would double writes. Or the reply gives a round to
/// wait for. -ERR if rounds do not help and the cut would take too long.
inline constexpr const char* kCut = "CUT";

/// `RDMASYNC.EXPORT DETACH`: the replica has all it needs of the log. +OK; the connection stays.
inline constexpr const char* kDetach = "DETACH";

/// `RDMASYNC.EXPORT OFFSET`: where the master's stream is, its backlog, and its run id.
inline constexpr const char* kOffset = "OFFSET";

}  // namespace rdmasync::protocol

#pragma once

#include <cstdint>

/// What master and replica say to each other over TCP, as Redis commands on the replica's control
/// connection. Everything else crosses the fabric (log_format.h).
namespace rdmasync::protocol {

/// Both ends must have the same; there is no negotiation.
inline constexpr std::int64_t kVersion = 9;

/// `RDMASYNC.EXPORT ATTACH <version> <fabric>` joins an export, or starts one. The connection is
/// the session: when it closes, the replica has left.
///
/// Replies are flat lists of names and values, which module/protocol/export.h lists. -ERR names the
/// cause.
inline constexpr const char* kExportCommand = "RDMASYNC.EXPORT";
inline constexpr const char* kAttach = "ATTACH";

/// `RDMASYNC.EXPORT HELLO`: the master's run id, and whether it has a backlog. The first that a
/// replica says; and again, to be heard, where it has nothing else to say.
inline constexpr const char* kHello = "HELLO";

/// `RDMASYNC.EXPORT PRIME`: this connection is about to say `PSYNC ? -1`, which makes the master
/// create its backlog, and to hang up before the master forks for it. +OK.
inline constexpr const char* kPrime = "PRIME";

/// `RDMASYNC.EXPORT ACK <position>`: every record before the position is consumed and every direct
/// read of one has completed. Said again now and then while that takes long. No reply.
inline constexpr const char* kAck = "ACK";

/// `RDMASYNC.EXPORT CUT`: the reply gives an offset of the master's stream. The log up to the kCut
/// record of this session, which comes as soon as the log has room for all before it, is the
/// dataset at that offset; and the database in which the stream goes on after the offset. What the
/// log holds after that record is for others: applying it would double writes. Or the reply gives a
/// round to wait for. -ERR if rounds do not help and the cut would take too long. -BUSY if this
/// master is a replica without a link to its own.
inline constexpr const char* kCut = "CUT";

/// `RDMASYNC.EXPORT DETACH`: the replica has all it needs of the log. +OK; the connection stays.
inline constexpr const char* kDetach = "DETACH";

/// What follows is how a PSYNC that asks for a full sync is answered by the module, in place of the
/// server. `RDMASYNC.EXPORT NATIVE <address>...`: the link of this replica's own server to this
/// master comes from one of these (address:port). Said again whenever that changes. +OK.
inline constexpr const char* kNative = "NATIVE";

/// `RDMASYNC.EXPORT AWAIT <milliseconds>`: whether a PSYNC of the native link waits for an answer,
/// by now or within that time. -ERR if this master does not answer any.
inline constexpr const char* kAwait = "AWAIT";

/// `RDMASYNC.EXPORT ANSWER <session> <stub> <insertions>`: the PSYNC that waits is answered with
/// the session, 40 hexadecimal digits, at the offset of this connection's last cut, or of now if
/// there was none, and with the stub RDB; or before the cut, and the stream goes on with so many
/// RDMASYNC.INSERT, up to there. From the cut on `PSYNC <session> <its offset + 1>` is continued as
/// if it named the master's real replication id. The reply tells whether there was one, and the
/// offset.
inline constexpr const char* kAnswer = "ANSWER";

/// `RDMASYNC.EXPORT LATER <reason>`: a PSYNC that waits is told to ask again, and why. +OK.
inline constexpr const char* kLater = "LATER";

/// `RDMASYNC.EXPORT DECLINE <reason>`: the server is to answer the PSYNC itself. +OK.
inline constexpr const char* kDecline = "DECLINE";

/// `RDMASYNC.EXPORT PSYNC <id> <offset>` is what the command filter of a master makes of a PSYNC
/// that it does not leave to the server. Nobody else says it.
inline constexpr const char* kPsync = "PSYNC";

/// `RDMASYNC.EXPORT ASKAGAIN ...` is what it makes of one that is too early. -LOADING.
inline constexpr const char* kAskAgain = "ASKAGAIN";

/// `RDMASYNC.EXPORT FILL <session> <offset>` is what it makes of one whose stub was loaded at an
/// offset before the cut: it is continued with no-ops, which bring it towards that.
inline constexpr const char* kFill = "FILL";

/// `RDMASYNC.EXPORT NOTYET <id> <offset>` is what the command filter of a replica makes of one that
/// comes while it has loaded a copy and not yet taken up its master's stream. -NOMASTERLINK.
inline constexpr const char* kNotYet = "NOTYET";

/// `RDMASYNC.EXPORT LOADING ...` is what it makes of every command in the moment between this
/// replica's old dataset and the load of another. -LOADING.
inline constexpr const char* kLoading = "LOADING";

/// `RDMASYNC.INSERT`, from a master only: the replica inserts a part of the copy, or with the last
/// one what is left of it.
inline constexpr const char* kInsertCommand = "RDMASYNC.INSERT";

}  // namespace rdmasync::protocol

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// What follows RDMASYNC.EXPORT (rdmasync/protocol.h): made of fields, and fields made of it, in
/// one place for both ends. On the wire a request is its name and its fields, one argument each;
/// further arguments are skipped.
namespace rdmasync::protocol {

/// The first field of an Attach. Throws Error(kProtocol) where it is read, if the other end has
/// another.
struct Version {};

namespace request {

/// The first that a replica says, and again to be heard where it has nothing else to say. Hello.
struct Hello {
  static constexpr const char* kName = "HELLO";
};

/// Joins an export, or starts one. Attached; -BUSY if the one it waited for has begun without it.
struct Attach {
  static constexpr const char* kName = "ATTACH";
  Version version;
  std::string fabric;
};

/// This connection is about to say `PSYNC ? -1`, which makes the master create its backlog, and to
/// hang up before the master forks for it. +OK.
struct Prime {
  static constexpr const char* kName = "PRIME";
};

/// Every record before the position is consumed, and every direct read of one has completed. Said
/// again now and then while that takes long. No reply.
struct Ack {
  static constexpr const char* kName = "ACK";
  std::uint64_t position = 0;  ///< bytes of the log
};

/// CutReply: an offset of the master's stream. The log up to the kCut record of this session, which
/// comes as soon as the log has room for all before it, is the dataset at that offset. What the log
/// holds after that record is for others: applying it would double writes. Or a round to wait for.
/// -ERR if rounds do not help and the cut would take too long. -BUSY if this master is a replica
/// without a link to its own.
struct Cut {
  static constexpr const char* kName = "CUT";
};

/// The replica has all it needs of the log. +OK; the connection stays.
struct Detach {
  static constexpr const char* kName = "DETACH";
};

// How a PSYNC that asks for a full sync is answered by the module, in place of the server.

/// The link of this replica's own server to this master comes from one of these, as address:port.
/// Said again whenever that changes. +OK.
struct Native {
  static constexpr const char* kName = "NATIVE";
  std::vector<std::string> addresses;
};

/// Whether a PSYNC of the native link waits for an answer, by now or within that time. Waits; -ERR
/// if this master does not answer any.
struct Await {
  static constexpr const char* kName = "AWAIT";
  std::int64_t milliseconds = 0;
};

/// The PSYNC that waits is answered with the session at the offset of this connection's last cut,
/// or of now if there was none, and with the stub RDB; or before the cut, and the stream goes on
/// with insertions up to there. From the cut on `PSYNC <session> <its offset + 1>` is continued as
/// if it named the master's real replication id. Answered.
struct Answer {
  static constexpr const char* kName = "ANSWER";
  std::string session;  ///< 40 hexadecimal digits
  std::string stub;     ///< an RDB
  std::int64_t inserts = 0;
};

/// A PSYNC that waits is told to ask again, and why. +OK.
struct Later {
  static constexpr const char* kName = "LATER";
  std::string reason;
};

/// The server is to answer the PSYNC itself. +OK.
struct Decline {
  static constexpr const char* kName = "DECLINE";
  std::string reason;
};

/// What the command filter of a master makes of a PSYNC that it does not leave to the server.
/// Nobody else says it.
struct Psync {
  static constexpr const char* kName = "PSYNC";
};

/// What it makes of one whose stub was loaded at an offset before the cut: it is continued with
/// no-ops, which bring it towards that.
struct Fill {
  static constexpr const char* kName = "FILL";
  std::string session;
  std::int64_t offset = 0;
};

/// What it makes of one that is too early. -LOADING.
struct AskAgain {
  static constexpr const char* kName = "ASKAGAIN";
};

/// What the command filter of a replica makes of one that comes while it has loaded a copy and not
/// yet taken up its master's stream. -NOMASTERLINK.
struct NotYet {
  static constexpr const char* kName = "NOTYET";
};

/// What it makes of every command in the moment between this replica's old dataset and the load of
/// another. -LOADING.
struct Loading {
  static constexpr const char* kName = "LOADING";
};

}  // namespace request

using Request = std::variant<request::Hello, request::Attach, request::Prime, request::Ack,
                             request::Cut, request::Detach, request::Native, request::Await,
                             request::Answer, request::Later, request::Decline, request::Psync,
                             request::Fill, request::AskAgain, request::NotYet, request::Loading>;

/// The whole command, from RDMASYNC.EXPORT on.
std::vector<std::string> to_command(const Request& request);

/// Of what comes after RDMASYNC.EXPORT. Throws Error(kUsage) if there is no such request, or too
/// little of it, and Error(kProtocol) if a field is not what it should be; both name it.
Request request_from(std::span<const std::string_view> words);

}  // namespace rdmasync::protocol

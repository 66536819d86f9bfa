#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// The words and bytes with which the module answers a PSYNC in place of the server.
namespace rdmasync::protocol {

/// What a server can continue a replica's stream from: its ids and its backlog, as INFO replication
/// tells them.
struct History {
  std::string id;
  std::string second_id;  ///< of its former master; valid up to `second_offset`
  std::int64_t second_offset = -1;
  std::int64_t backlog_first = 0;  ///< offset of its first byte
  std::int64_t backlog_length = 0;
  bool backlog = false;  ///< whether there is one

  /// Whether the server continues `PSYNC <id> <offset>`, by the server's own rules.
  bool continues(std::string_view asked_id, std::int64_t offset) const;
};

inline constexpr std::size_t kIdLength = 40;

/// A replication id that no server has: 160 random bits in hexadecimal. Throws Error(kResources).
std::string random_id();

/// The first line of the answer, without its sign and end.
std::string full_resync_line(std::string_view id, std::int64_t offset);

/// The answer to one who has loaded a stub.
std::string continue_line(std::string_view id);

/// What brings a replica's offset from that of its FULLRESYNC to that of its cut: no-ops, each a
/// `PING` with a payload of so many bytes; -1: without one. `bytes` of the stream in all. Throws
/// Error(kProtocol) where there are no no-ops of that size, which is below kLeastFiller.
std::vector<std::int64_t> filler(std::int64_t bytes);
inline constexpr std::int64_t kLeastFiller = 64;
inline constexpr std::int64_t kLargestNoop = (1 << 20) - 4096;  ///< bytes; of its payload, too

/// So many insertions, behind a stub that was sent as a bulk string: bytes of the stream.
std::int64_t bytes_of_inserts(std::int64_t count);
/// For as many as are of use, in a stream that has just begun.
inline constexpr std::int64_t kRoomForInserts = 64 << 10;
/// How many there is room for before that offset; one at least.
std::int64_t most_inserts(std::int64_t cut);

/// Where the piece of filler that begins at `from` ends: what is more comes with the next PSYNC, so
/// that neither end's buffers grow with what was written meanwhile.
std::int64_t end_of_piece(std::int64_t begin, std::int64_t from, std::int64_t cut);

/// The RDB file of the answer: the sizes of the databases, which the server makes room for, and the
/// module's auxiliary field with the session, at which it calls the module back. What the stream
/// after it says is for database `stream_db`. In a version that every server loads.
std::string stub_rdb(const std::map<std::uint32_t, std::uint64_t>& keys, std::string_view session,
                     std::uint32_t stream_db);

/// The data type whose auxiliary field that is, and its encoding version.
inline constexpr std::string_view kTypeName = "rdmasync-";
inline constexpr int kTypeEncoding = 1;

}  // namespace rdmasync::protocol

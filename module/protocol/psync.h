#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

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

/// The RDB file of the answer: the sizes of the databases, which the server makes room for, and the
/// module's auxiliary field with the session, at which it calls the module back. In a version that
/// every server loads.
std::string stub_rdb(const std::map<std::uint32_t, std::uint64_t>& keys, std::string_view session);

/// The data type whose auxiliary field that is, and its encoding version.
inline constexpr std::string_view kTypeName = "rdmasync-";
inline constexpr int kTypeEncoding = 1;

}  // namespace rdmasync::protocol

#include "module/protocol/psync.h"

#include <strings.h>

#include <algorithm>
#include <iterator>
#include <optional>

#include "module/redis/rdb.h"
#include "rdma/token_text.h"
#include "rdmasync/error.h"

namespace rdmasync::protocol {

namespace rdb = redis::rdb;

namespace {

// Making it costs the master's main thread a copy.
constexpr std::int64_t kPiece = 4 << 20;

constexpr std::int64_t kInsert = std::string_view("*1\r\n$15\r\nRDMASYNC.INSERT\r\n").size();
constexpr std::int64_t kEndOfBulk = 2;
constexpr std::int64_t kMostInserts = 4096;  // 100 kB of the stream

/// Of the PING that has so many bytes in the stream, -1 if it has none; nothing: there is no such.
std::optional<std::int64_t> payload_of_noop(std::int64_t bytes) {
  constexpr std::string_view kAlone = "*1\r\n$4\r\nPING\r\n";
  constexpr std::string_view kBefore = "*2\r\n$4\r\nPING\r\n$";
  constexpr std::string_view kEnds = "\r\n\r\n";
  if (bytes == std::ssize(kAlone)) {
    return -1;
  }
  constexpr std::int64_t kMostDigits = 7;
  for (std::int64_t digits = 1; digits <= kMostDigits; ++digits) {
    const std::int64_t payload = bytes - std::ssize(kBefore) - std::ssize(kEnds) - digits;
    if (payload >= 0 && std::ssize(std::to_string(payload)) == digits) {
      return payload;
    }
  }
  return std::nullopt;
}

/// Servers compare ids without regard to case.
bool same_id(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

bool History::continues(std::string_view asked_id, std::int64_t offset) const {
  const bool known =
      same_id(asked_id, id) || (same_id(asked_id, second_id) && offset <= second_offset);
  return known && backlog && offset >= backlog_first && offset <= backlog_first + backlog_length;
}

std::string random_id() {
  return (rdma::to_text(rdma::random_token()) + rdma::to_text(rdma::random_token()))
      .substr(0, kIdLength);
}

std::string full_resync_line(std::string_view id, std::int64_t offset) {
  return "FULLRESYNC " + std::string(id) + " " + std::to_string(offset);
}

std::string continue_line(std::string_view id) {
  return "CONTINUE " + std::string(id);
}

std::vector<std::int64_t> filler(std::int64_t bytes) {
  std::vector<std::int64_t> payloads;
  while (bytes > 0) {
    std::int64_t part = std::min(bytes, kLargestNoop);
    std::optional<std::int64_t> payload = payload_of_noop(part);
    // What is left must be enough for no-ops, too.
    while (part > 0 && (!payload || (part < bytes && bytes - part < kLeastFiller))) {
      payload = payload_of_noop(--part);
    }
    if (!payload) {
      throw Error(Errc::kProtocol, "no no-op has " + std::to_string(bytes) + " bytes");
    }
    payloads.push_back(*payload);
    bytes -= part;
  }
  return payloads;
}

std::int64_t bytes_of_inserts(std::int64_t count) {
  return count == 0 ? 0 : kEndOfBulk + count * kInsert;
}

std::int64_t most_inserts(std::int64_t cut) {
  return std::clamp<std::int64_t>((cut - kEndOfBulk) / kInsert, 1, kMostInserts);
}

std::int64_t end_of_piece(std::int64_t begin, std::int64_t from, std::int64_t cut) {
  const std::int64_t end = begin + ((from - begin) / kPiece + 1) * kPiece;
  return cut - end < kLeastFiller ? cut : end;
}

std::string stub_rdb(const std::map<std::uint32_t, std::uint64_t>& keys, std::string_view session,
                     std::uint32_t stream_db) {
  std::string stub;
  rdb::append_file_head(stub);
  // A partial resync does not say so.
  rdb::append_aux(stub, "repl-stream-db", std::to_string(stream_db));
  for (const auto& [db, count] : keys) {
    rdb::append_select_db(stub, db, count, 0);
  }
  rdb::append_module_aux(stub, rdb::module_type_id(kTypeName, kTypeEncoding), session);
  rdb::append_file_end(stub);
  return stub;
}

}  // namespace rdmasync::protocol

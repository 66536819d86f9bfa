#include "module/protocol/psync.h"

#include <strings.h>

#include "module/redis/rdb.h"
#include "module/token_text.h"

namespace rdmasync::protocol {

namespace rdb = redis::rdb;

namespace {

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
  return (to_text(rdma::random_token()) + to_text(rdma::random_token())).substr(0, kIdLength);
}

std::string full_resync_line(std::string_view id, std::int64_t offset) {
  return "FULLRESYNC " + std::string(id) + " " + std::to_string(offset);
}

std::string stub_rdb(const std::map<std::uint32_t, std::uint64_t>& keys, std::string_view session) {
  constexpr int kLoadedByAll = 9;
  std::string stub;
  rdb::append_file_head(stub, kLoadedByAll);
  // The cut makes the master's stream begin in database 0; a partial resync does not say so.
  rdb::append_aux(stub, "repl-stream-db", "0");
  for (const auto& [db, count] : keys) {
    rdb::append_select_db(stub, db, count, 0);
  }
  rdb::append_module_aux(stub, rdb::module_type_id(kTypeName, kTypeEncoding), session);
  rdb::append_file_end(stub);
  return stub;
}

}  // namespace rdmasync::protocol

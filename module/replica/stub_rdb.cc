#include "module/replica/stub_rdb.h"

#include <algorithm>

#include "module/protocol/psync.h"
#include "module/redis/rdb.h"
#include "module/redis/server.h"

namespace rdmasync::replica {

namespace rdb = redis::rdb;

namespace {

constexpr std::size_t kFlushAt = 256U << 10;

/// Gathers small pieces; large ones pass through.
class Gather {
 public:
  explicit Gather(const std::function<void(std::string_view)>& write) : write_(write) {}

  std::string& buffer() { return buffer_; }

  void append(std::string_view bytes) {
    if (bytes.size() >= kFlushAt) {
      flush();
      write_(bytes);
      return;
    }
    buffer_.append(bytes);
    if (buffer_.size() >= kFlushAt) {
      flush();
    }
  }

  void flush() {
    if (!buffer_.empty()) {
      write_(buffer_);
    }
    buffer_.clear();
  }

 private:
  const std::function<void(std::string_view)>& write_;
  std::string buffer_;
};

/// A payload of a known type is for the loader, too: without its footer.
void append_payload(Gather& out, const Incoming& incoming) {
  const auto head = log::entry_head(incoming.entry);
  const std::string_view payload = value_of(incoming, head);
  if (!rdb::is_known_type(payload.front())) {
    return;
  }
  log::append_entry_head(out.buffer(), head.meta, payload.front(), head.key);
  out.append(payload.substr(1, payload.size() - 1 - redis::kDumpFooter));
}

}  // namespace

void write_stub_rdb(const Staging& staging, int rdb_version, std::string_view token,
                    const std::function<void(std::string_view)>& write) {
  Gather out(write);
  rdb::append_file_head(out.buffer(), rdb_version);
  // The cut made the master's stream begin in database 0; a partial resync does not say so.
  rdb::append_aux(out.buffer(), "repl-stream-db", "0");
  const std::string_view functions = staging.functions();
  out.append(
      functions.substr(0, functions.size() - std::min(functions.size(), redis::kDumpFooter)));
  for (const auto& [db, keys] : staging.databases()) {
    if (keys.empty()) {
      continue;
    }
    rdb::append_select_db(out.buffer(), db, keys.size(), 0);
    keys.for_each([&out](std::string_view, const Incoming& incoming) {
      if (incoming.is_value()) {
        return;
      }
      if (incoming.is_payload) {
        append_payload(out, incoming);
        return;
      }
      out.append(incoming.entry);
      if (incoming.landing) {
        out.append(incoming.landing->bytes);
      }
    });
  }
  rdb::append_module_aux(out.buffer(),
                         rdb::module_type_id(protocol::kTypeName, protocol::kTypeEncoding), token);
  rdb::append_file_end(out.buffer());
  out.flush();
}

}  // namespace rdmasync::replica

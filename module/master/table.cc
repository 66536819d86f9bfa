#include "module/master/table.h"

#include <string>

#include "module/redis/owned.h"

namespace rdmasync::master {

namespace {

void reply_row(RedisModuleCtx* ctx, const log::Ring& ring, const log::Record& record) {
  log_format::RemoteBytes where{};
  if (record.remote) {
    where = record.remote->bytes;
  } else {
    where.address = reinterpret_cast<std::uint64_t>(record.entry.data());
    where.length = record.entry.size();
    where.rkey = ring.rkeys().at(where.address);
  }
  redis::ReplyWithArray(ctx, 6);
  redis::reply_text(ctx, record.key);
  redis::ReplyWithLongLong(ctx, record.db);
  redis::reply_text(ctx, record.kind == log_format::Kind::kDirect ? "direct" : "packed");
  redis::ReplyWithLongLong(ctx, static_cast<long long>(where.address));
  redis::ReplyWithLongLong(ctx, static_cast<long long>(where.length));
  redis::ReplyWithLongLong(ctx, where.rkey);
}

}  // namespace

long long reply_with_rows(RedisModuleCtx* ctx, const log::Ring& ring, long long limit) {
  long long rows = 0;
  for (auto position = ring.tail(); position < ring.head() && rows < limit;) {
    const auto record = log::read_record(ring.bytes_from(position), ring.rkeys().part_size);
    position += record.value().size;
    if (!log_format::carries_value(record->kind)) {
      continue;
    }
    reply_row(ctx, ring, *record);
    ++rows;
  }
  return rows;
}

}  // namespace rdmasync::master

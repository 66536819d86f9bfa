#include "module/master/table.h"

#include <cstring>
#include <string>

#include "module/redis/owned.h"

namespace rdmasync::master {

using log_format::Kind;
using log_format::RecordHeader;
using log_format::RemoteBytes;

namespace {

void reply_row(RedisModuleCtx* ctx, const LogRing& log, const RecordHeader& record) {
  const char* body = reinterpret_cast<const char*>(&record) + sizeof(RecordHeader);
  const bool remote =
      record.kind == Kind::kValue || (record.slack_and_flags & RecordHeader::kRemote) != 0;
  RemoteBytes where{};
  if (remote) {
    std::memcpy(&where, body, sizeof(where));
  } else {
    where.address = reinterpret_cast<std::uint64_t>(body);
    where.length =
        record.size - sizeof(RecordHeader) - (record.slack_and_flags & RecordHeader::kSlackMask);
    where.rkey = log.rkeys().at(where.address);
  }
  redis::ReplyWithArray(ctx, 6);
  redis::reply_text(ctx, {body + record.key_offset, record.key_length});
  redis::ReplyWithLongLong(ctx, record.db);
  redis::reply_text(ctx, record.kind == Kind::kValue ? "direct"
                         : remote                    ? "direct-packed"
                                                     : "packed");
  redis::ReplyWithLongLong(ctx, static_cast<long long>(where.address));
  redis::ReplyWithLongLong(ctx, static_cast<long long>(where.length));
  redis::ReplyWithLongLong(ctx, where.rkey);
}

}  // namespace

long long reply_with_rows(RedisModuleCtx* ctx, const LogRing& log, long long limit) {
  long long rows = 0;
  for (auto position = log.tail(); position < log.head() && rows < limit;) {
    const RecordHeader& record = log.record_at(position);
    position += record.size;
    if (!log_format::carries_value(record.kind)) continue;
    reply_row(ctx, log, record);
    ++rows;
  }
  return rows;
}

}  // namespace rdmasync::master

#include "module/log/stream_part.h"

#include "rdmasync/error.h"
#include "rdmasync/log_format.h"

namespace rdmasync::log {

namespace rdb = redis::rdb;

namespace {

// The least that one takes.
constexpr std::size_t kBytesOfId = 16;
constexpr std::size_t kBytesOfField = 1;

void append_id(std::string& out, const StreamId& id) {
  rdb::append_little_endian(out, id.ms);
  rdb::append_little_endian(out, id.sequence);
}

StreamId take_id(rdb::Reader& from) {
  const std::uint64_t ms = from.little_endian();
  return {ms, from.little_endian()};
}

/// How many follow, of at least so many bytes each.
std::size_t take_count(rdb::Reader& from, std::size_t bytes_of_one) {
  const std::uint64_t count = from.length();
  if (count > from.left() / bytes_of_one) {
    throw Error(Errc::kProtocol, "the export log has a part of a stream that ends too early");
  }
  return static_cast<std::size_t>(count);
}

}  // namespace

std::string stream_head(const StreamHead& head) {
  std::string bytes(1, head.begins ? log_format::kBegins : '\0');
  append_id(bytes, head.first);
  rdb::append_length(bytes, head.gone.size());
  for (const StreamId& id : head.gone) {
    append_id(bytes, id);
  }
  return bytes;
}

void append_stream_entry(std::string& out, const StreamEntry& entry) {
  append_id(out, entry.id);
  rdb::append_length(out, entry.fields.size());
  for (const std::string_view field : entry.fields) {
    rdb::append_string(out, field);
  }
}

std::string stream_end(const StreamEnd& end) {
  std::string bytes(1, '\0');
  append_id(bytes, end.last);
  rdb::append_little_endian(bytes, end.added);
  append_id(bytes, end.max_deleted);
  return bytes.append(end.payload);
}

StreamHead take_stream_head(rdb::Reader& from) {
  StreamHead head{.begins = from.take(1).front() == log_format::kBegins};
  head.first = take_id(from);
  for (std::size_t left = take_count(from, kBytesOfId); left > 0; --left) {
    head.gone.push_back(take_id(from));
  }
  return head;
}

std::optional<StreamEntry> take_stream_entry(rdb::Reader& from) {
  if (from.left() == 0) {
    return std::nullopt;
  }
  StreamEntry entry{.id = take_id(from)};
  const std::size_t fields = take_count(from, kBytesOfField);
  if (fields == 0 || fields % 2 != 0) {
    throw Error(Errc::kProtocol, "the export log has an entry of a stream without its values");
  }
  for (std::size_t i = 0; i < fields; ++i) {
    entry.fields.push_back(from.take(from.length()));
  }
  return entry;
}

StreamEnd take_stream_end(rdb::Reader& from) {
  from.take(1);
  StreamEnd end{.last = take_id(from)};
  end.added = from.little_endian();
  end.max_deleted = take_id(from);
  end.payload = from.take(from.left());
  return end;
}

}  // namespace rdmasync::log

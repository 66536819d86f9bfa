#include "module/log/record.h"

#include <algorithm>
#include <cstring>

#include "rdmasync/error.h"

namespace rdmasync::log {

using log_format::Kind;
using log_format::kRecordAlign;
using log_format::RecordHeader;
using log_format::RemoteBytes;
using log_format::ValueBody;

namespace {

constexpr std::uint8_t kKnownFlags = RecordHeader::kSlackMask | RecordHeader::kRemote;

[[noreturn]] void refuse(const char* what) {
  throw Error(Errc::kProtocol, std::string("the export log has ") + what);
}

template <typename T>
std::string bytes_of(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

template <typename T>
T load(std::string_view from) {
  if (from.size() < sizeof(T)) {
    refuse("a short record");
  }
  T value;
  std::memcpy(&value, from.data(), sizeof(T));
  return value;
}

/// All that the record says, and no more.
template <typename T>
T load_whole(std::string_view body) {
  if (body.size() > sizeof(T)) {
    refuse("a long record");
  }
  return load<T>(body);
}

/// Of the bytes that the body begins with. Takes the rkeys from its end.
Remote take_remote(std::string_view& body, std::uint64_t part_size) {
  Remote remote{.bytes = load<RemoteBytes>(body)};
  const std::size_t further = remote.bytes.further_parts;
  const std::size_t bytes = further * sizeof(std::uint32_t);
  if (further != (std::max<std::uint64_t>(remote.bytes.length, 1) - 1) / part_size ||
      bytes > body.size() - sizeof(RemoteBytes)) {
    refuse("a value with too few rkeys, or too many");
  }
  remote.further_rkeys.resize(further);
  if (further > 0) {
    std::memcpy(remote.further_rkeys.data(), body.data() + body.size() - bytes, bytes);
    body.remove_suffix(bytes);
  }
  return remote;
}

KeyMeta meta_of(const ValueBody& value) {
  if (value.recency_kind > log_format::Recency::kFrequency) {
    refuse("a use of an unknown kind");
  }
  return {value.expire_at_ms, value.recency_kind, value.recency};
}

/// Fills in what the body says.
void read_body(Record& record, std::string_view body, bool remote, std::uint64_t part_size) {
  switch (record.kind) {
    case Kind::kPacked:
    case Kind::kPayload:
    case Kind::kPart:
    case Kind::kFunctions:
      if (remote) {
        record.remote = take_remote(body, part_size);
        body.remove_prefix(sizeof(RemoteBytes));
      }
      record.entry = body;
      break;
    case Kind::kDirect:
      record.meta = meta_of(load<ValueBody>(body));
      record.remote = take_remote(body, part_size);
      break;
    case Kind::kSwap:
      record.other_db = load_whole<std::uint32_t>(body);
      break;
    case Kind::kCut:
      record.session = load_whole<std::uint64_t>(body);
      break;
    case Kind::kPad:
    case Kind::kTombstone:
    case Kind::kFlush:
    case Kind::kRoundEnd:
      break;
    default:
      refuse("a record of an unknown kind: the master's rdmasync is newer");
  }
}

/// The key's place in the body, where a record has one.
std::string_view key_in(const Record& record, const RecordHeader& header, std::string_view body) {
  std::size_t begin = 0;
  std::size_t end = 0;
  switch (record.kind) {
    case Kind::kPacked:
    case Kind::kPayload:
    case Kind::kPart:
      begin = record.remote ? sizeof(RemoteBytes) : 0;
      end = begin + record.entry.size();
      break;
    case Kind::kDirect:
      begin = sizeof(ValueBody);
      end = body.size() - record.remote->further_rkeys.size() * sizeof(std::uint32_t);
      break;
    case Kind::kTombstone:
      end = body.size();
      break;
    default:
      break;
  }
  const std::size_t offset = header.key_length > 0 ? header.key_offset : begin;
  if (offset < begin || offset + header.key_length > end) {
    refuse("a key outside of its record");
  }
  return body.substr(offset, header.key_length);
}

}  // namespace

std::size_t record_size(std::size_t body) {
  return (sizeof(RecordHeader) + body + kRecordAlign - 1) / kRecordAlign * kRecordAlign;
}

RecordHeader header_of(const RecordInfo& info, std::size_t body) {
  RecordHeader header = padding_of(record_size(body));
  header.db = info.db;
  header.key_length = info.key_length;
  header.key_offset = info.key_offset;
  header.kind = info.kind;
  header.slack_and_flags = static_cast<std::uint8_t>(header.size - sizeof(RecordHeader) - body);
  if (info.remote) {
    header.slack_and_flags |= RecordHeader::kRemote;
  }
  return header;
}

RecordHeader padding_of(std::size_t size) {
  RecordHeader header{};
  header.size = static_cast<std::uint32_t>(size);
  header.kind = Kind::kPad;
  return header;
}

std::string head_of_remote(RecordInfo& info, const RemoteBytes& bytes) {
  info.remote = true;
  info.key_offset = static_cast<std::uint16_t>(info.key_offset + sizeof(RemoteBytes));
  return bytes_of(bytes);
}

std::string head_of_direct(RecordInfo& info, const RemoteBytes& bytes, const KeyMeta& meta) {
  info.key_offset = static_cast<std::uint16_t>(info.key_offset + sizeof(ValueBody));
  const ValueBody value{.bytes = bytes,
                        .expire_at_ms = meta.expire_at_ms,
                        .recency = meta.recency,
                        .recency_kind = meta.recency_kind,
                        .unused = 0};
  return bytes_of(value);
}

std::optional<Record> read_record(std::string_view bytes, std::uint64_t part_size) {
  if (bytes.size() < sizeof(RecordHeader)) {
    return std::nullopt;
  }
  const auto header = load<RecordHeader>(bytes);
  if (header.size < sizeof(RecordHeader) || header.size % kRecordAlign != 0) {
    refuse("a record of an impossible size");
  }
  if (header.size > bytes.size()) {
    return std::nullopt;
  }
  const std::size_t slack = header.slack_and_flags & RecordHeader::kSlackMask;
  if (slack > header.size - sizeof(RecordHeader) || (header.slack_and_flags & ~kKnownFlags) != 0) {
    refuse("a malformed record");
  }
  const std::string_view body =
      bytes.substr(sizeof(RecordHeader), header.size - sizeof(RecordHeader) - slack);

  Record record{.kind = header.kind, .db = header.db, .size = header.size};
  read_body(record, body, (header.slack_and_flags & RecordHeader::kRemote) != 0, part_size);
  record.key = key_in(record, header, body);
  return record;
}

}  // namespace rdmasync::log

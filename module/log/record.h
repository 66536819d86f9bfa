#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "module/log/entry.h"
#include "rdmasync/log_format.h"

/// The export log: records are made and taken apart here, and nowhere else.
namespace rdmasync::log {

/// What a record says besides its body.
struct RecordInfo {
  log_format::Kind kind = log_format::Kind::kPad;
  std::uint32_t db = 0;
  std::uint32_t key_length = 0;
  std::uint16_t key_offset = 0;
  bool remote = false;
};

/// Bytes of the log that a record takes whose body has so many.
std::size_t record_size(std::size_t body);
log_format::RecordHeader header_of(const RecordInfo& info, std::size_t body);
/// A record of that size that says nothing.
log_format::RecordHeader padding_of(std::size_t size);

/// What precedes the body of a record whose value, or the rest of it, is outside of the log. The
/// rkeys of further parts follow the body. Changes the info accordingly.
std::string head_of_remote(RecordInfo& info, const log_format::RemoteBytes& bytes);
std::string head_of_direct(RecordInfo& info, const log_format::RemoteBytes& bytes,
                           const KeyMeta& meta);

/// Bytes outside of the log that a record points to.
struct Remote {
  log_format::RemoteBytes bytes{};
  std::vector<std::uint32_t> further_rkeys = {};
};

/// A record, checked. Its views are of the bytes that it was read from.
struct Record {
  log_format::Kind kind = log_format::Kind::kPad;
  std::uint32_t db = 0;
  std::size_t size = 0;  ///< bytes of the log
  std::string_view key = {};
  std::string_view entry = {};        ///< as Kind tells; what of it is in the log
  std::optional<Remote> remote = {};  ///< the rest of it; of kDirect the value
  KeyMeta meta = {};                  ///< of kDirect; an entry has its own
  std::uint32_t other_db = 0;         ///< of kSwap
  std::uint64_t session = 0;          ///< of kCut
};

/// The record that `bytes` begin with, or nothing if they end before it does. `part_size`: of
/// memory regions, as ATTACH told. Throws Error(kProtocol) for what no master writes. Any thread.
std::optional<Record> read_record(std::string_view bytes, std::uint64_t part_size);

}  // namespace rdmasync::log

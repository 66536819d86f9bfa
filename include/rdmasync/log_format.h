#pragma once

#include <array>
#include <cstdint>

/// The bytes that cross the fabric: the export log, which a replica reads from the master's memory.
///
/// One registered region holds a LogHeader page and, after it, the ring. A position counts bytes
/// from the start of the export and only grows; position p is at byte `p % capacity` of the ring.
/// Records follow each other, aligned to kRecordAlign, and never cross the ring's end: a kPad
/// record fills what is left there. Little-endian throughout, as every host that RDMA and Redis
/// meet on.
namespace rdmasync::log_format {

inline constexpr std::uint64_t kMagic = 0x31474F4C434E5953;  // "SYNCLOG1"
inline constexpr std::uint64_t kHeaderSize = 4096;
inline constexpr std::uint32_t kRecordAlign = 16;

/// The first page of the region. The master alone writes it; all but `magic` and `capacity` grow.
/// Each field is read whole, but two fields may be from different moments.
struct LogHeader {
  std::uint64_t magic;
  std::uint64_t capacity;  ///< bytes of the ring, a multiple of kRecordAlign
  std::array<std::uint64_t, 6> unused;
  std::uint64_t head;            ///< every record before it is complete
  std::uint64_t payload_bytes;   ///< values published so far, in place or in the log, in bytes
  std::uint64_t keys_published;  ///< records that carry a value
  std::uint64_t keys_estimated;  ///< keys the scan will see, as known at its start
  std::uint64_t keys_scanned;    ///< keys it has seen
};
static_assert(sizeof(LogHeader) <= kHeaderSize);

enum class Kind : std::uint8_t {
  kPad = 0,    ///< skip it
  kPacked,     ///< a key with its value, as an RDB entry: [expiry] [lru|lfu] type key value
  kPayload,    ///< the same, but the type is kWhole and the value a whole payload for RESTORE
  kDirect,     ///< a string value that stays where Redis has it: ValueBody, the key, further rkeys
  kTombstone,  ///< the key is gone; the body is the key
  kFlush,      ///< every key of `db` is gone (kAllDatabases: of all)
  kSwap,       ///< the contents of `db` and of the database in the body (u32) change places
  kFunctions,  ///< all function libraries, as RDB opcodes; replaces earlier ones
  kCut,        ///< up to here it is the dataset of one replica's cut; the body is its session (u64)
  kRoundEnd,   ///< the whole dataset, or all that was written during the last round, is published
  kPart,       ///< as kPacked, but the type is a Part and the value what it says: a change of what
               ///< the records before have made of the key, whose expiry and recency it brings, too
};

/// Stands for the type in an entry whose payload has one of its own, which this build cannot tell.
inline constexpr char kWhole = 127;

/// What a kPart brings.
enum class Part : char {
  kBytes = 1,  ///< of a string: where they begin (u64), how long the string is (u64), and they
  kHash,       ///< elements of a collection: a byte, kBegins or 0, and they, as elements.h has them
  kSet,
  kZset,
  kList,       ///< what goes from its ends and what comes, as list_part.h has it
  kStream,     ///< entries of a stream, as stream_part.h has them,
  kStreamEnd,  ///< and after all of those what else there is of it
};

/// What the records before have made of the key is no more.
inline constexpr char kBegins = 1;

inline constexpr bool carries_value(Kind kind) {
  return kind == Kind::kPacked || kind == Kind::kPayload || kind == Kind::kDirect;
}

inline constexpr std::uint32_t kAllDatabases = 0xFFFFFFFF;

/// Where bytes are that are not in the log itself. Where a device limits what it registers as one,
/// they have several parts, all but the last of the size that ATTACH told; the rkeys of the parts
/// after the first (u32 each) are the end of the record's body.
struct RemoteBytes {
  std::uint64_t address;  ///< in the master's process
  std::uint64_t length;   ///< of all parts
  std::uint32_t rkey;     ///< of the first part
  std::uint32_t further_parts;
};

/// A record is a RecordHeader and a body of `size - sizeof(RecordHeader) - slack` bytes.
///
/// With kRemote set the body of kFunctions is RemoteBytes, and that of kPacked and kPayload is
/// RemoteBytes and then the entry up to its key: the rest is there. The rkeys of further parts
/// follow.
struct RecordHeader {
  std::uint32_t size;  ///< of the record with header and slack, a multiple of kRecordAlign
  std::uint32_t db;
  std::uint32_t key_length;
  std::uint16_t key_offset;  ///< of the key in the body
  Kind kind;
  std::uint8_t slack_and_flags;  ///< low 4 bits: unused bytes at the end; kRemote

  static constexpr std::uint8_t kSlackMask = 0x0F;
  static constexpr std::uint8_t kRemote = 0x80;
};
static_assert(sizeof(RecordHeader) == kRecordAlign);

/// How recently a key was used, where the master's eviction policy keeps count.
enum class Recency : std::uint32_t {
  kNone = 0,
  kIdle,       ///< LRU: seconds since the last use
  kFrequency,  ///< LFU: the counter, 0 to 255
};

inline constexpr std::int64_t kNoExpiry = -1;

struct ValueBody {
  RemoteBytes bytes;
  std::int64_t expire_at_ms;  ///< Unix time in milliseconds, or kNoExpiry
  std::uint64_t recency;
  Recency recency_kind;
  std::uint32_t unused;
};

}  // namespace rdmasync::log_format

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// The few pieces of the RDB format that a stub RDB and the entries of packed records are made of.
/// Strings are length-prefixed and never compressed: they go through memory, not to disk.
namespace rdmasync::redis::rdb {

inline constexpr char kTypeString = 0;
inline constexpr char kTypeModule = 7;
/// The last type of a value in Redis 8.0 and Valkey 9.1. What begins with another byte is not known
/// to begin with a type: Redis 8.6 puts a key's metadata first.
inline constexpr char kLastType = 25;
inline constexpr bool is_known_type(char type) {
  return type >= 0 && type <= kLastType;
}

/// The version of a server whose hashes have fields with times of their own: of Redis 7.4, and less
/// than that of Valkey 9.0.
inline constexpr int kFieldTimesSince = 12;

enum Opcode : unsigned char {
  kModuleAux = 247,
  kIdle = 248,
  kFreq = 249,
  kAux = 250,
  kResizeDb = 251,
  kExpireTimeMs = 252,
  kSelectDb = 254,
  kEof = 255,
};

void append_byte(std::string& out, unsigned value);
void append_little_endian(std::string& out, std::uint64_t value);
void append_length(std::string& out, std::uint64_t length);
void append_string(std::string& out, std::string_view text);

/// A value and its type, as DUMP has it and RESTORE takes it.
std::string for_restore(std::string value, int version);

/// Takes pieces from the front of bytes that it does not own. Throws Error(kProtocol) where they
/// end too early.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  unsigned char peek() const;
  std::string_view take(std::size_t size);
  std::uint64_t big_endian(std::size_t bytes);
  std::uint64_t little_endian();  ///< of eight bytes
  std::uint64_t length();
  std::size_t left() const { return rest_.size(); }

 private:
  const char* need(std::size_t size) const;

  std::string_view rest_;
};

/// Whether a server that writes RDB files of version `own` loads values of version `other`. Valkey
/// since 9.0 has numbers of its own and takes none of those that Redis has given since they parted.
bool loads(int own, int other);

/// Of a version that every server loads.
void append_file_head(std::string& out);
void append_aux(std::string& out, std::string_view name, std::string_view value);
void append_select_db(std::string& out, std::uint32_t db, std::uint64_t keys,
                      std::uint64_t expires);
/// A module's auxiliary field holding one string, after the keys.
void append_module_aux(std::string& out, std::uint64_t module_id, std::string_view value);
/// The end of the file, with a checksum of zero: "not checked".
void append_file_end(std::string& out);

/// The 64-bit identity of a module's data type: nine characters and an encoding version.
std::uint64_t module_type_id(std::string_view name, int encoding_version);

}  // namespace rdmasync::redis::rdb

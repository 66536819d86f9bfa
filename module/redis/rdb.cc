#include "module/redis/rdb.h"

#include <array>
#include <cstring>

#include "rdmasync/error.h"

namespace rdmasync::redis::rdb {

namespace {

// Opcodes inside a module's value.
constexpr std::uint64_t kModuleEnd = 0;
constexpr std::uint64_t kModuleUnsigned = 2;
constexpr std::uint64_t kModuleString = 5;
constexpr std::uint64_t kAuxAfterKeys = 2;

void append_big_endian(std::string& out, std::uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    append_byte(out, (value >> shift) & 0xFF);
  }
}

// Of a length the two upper bits say in which form it is.
constexpr unsigned k14Bits = 0x40;
constexpr unsigned k32Bits = 0x80;
constexpr unsigned k64Bits = 0x81;

// From here on the versions are Valkey's own, by another name at the head of the file.
constexpr int kFirstOfValkey = 80;

/// CRC-64/Jones, as the server has it: reflected, from 0.
std::uint64_t crc64(std::string_view bytes) {
  static const auto table = [] {
    constexpr std::uint64_t kPolynomial = 0x95AC9329AC4BC9B5;
    std::array<std::uint64_t, 256> all{};
    for (std::size_t byte = 0; byte < all.size(); ++byte) {
      std::uint64_t crc = byte;
      for (int bit = 0; bit < 8; ++bit) {
        crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
      }
      all[byte] = crc;
    }
    return all;
  }();
  std::uint64_t crc = 0;
  for (const char c : bytes) {
    crc = table[(crc ^ static_cast<unsigned char>(c)) & 0xFF] ^ (crc >> 8);
  }
  return crc;
}

}  // namespace

void append_byte(std::string& out, unsigned value) {
  out.push_back(static_cast<char>(value));
}

void append_little_endian(std::string& out, std::uint64_t value) {
  for (int shift = 0; shift < 64; shift += 8) {
    append_byte(out, (value >> shift) & 0xFF);
  }
}

void append_length(std::string& out, std::uint64_t length) {
  if (length < (1U << 6)) {
    append_byte(out, static_cast<unsigned>(length));
  } else if (length < (1U << 14)) {
    append_byte(out, k14Bits | static_cast<unsigned>(length >> 8));
    append_byte(out, length & 0xFF);
  } else if (length <= UINT32_MAX) {
    append_byte(out, k32Bits);
    append_big_endian(out, length, 4);
  } else {
    append_byte(out, k64Bits);
    append_big_endian(out, length, 8);
  }
}

void append_string(std::string& out, std::string_view text) {
  append_length(out, text.size());
  out.append(text);
}

unsigned char Reader::peek() const {
  return static_cast<unsigned char>(*need(1));
}

std::string_view Reader::take(std::size_t size) {
  const std::string_view taken(need(size), size);
  rest_.remove_prefix(size);
  return taken;
}

std::uint64_t Reader::big_endian(std::size_t bytes) {
  std::uint64_t value = 0;
  for (const char c : take(bytes)) {
    value = value << 8 | static_cast<unsigned char>(c);
  }
  return value;
}

std::uint64_t Reader::little_endian() {
  std::uint64_t value = 0;
  std::memcpy(&value, take(sizeof(value)).data(), sizeof(value));
  return value;
}

std::uint64_t Reader::length() {
  const auto first = static_cast<unsigned char>(take(1).front());
  if (first < k14Bits) {
    return first;
  }
  if (first < k32Bits) {
    return (first & 0x3FU) << 8 | big_endian(1);
  }
  return big_endian(first == k32Bits ? 4 : 8);
}

const char* Reader::need(std::size_t size) const {
  if (size > rest_.size()) {
    throw Error(Errc::kProtocol, "the export log has an entry without end");
  }
  return rest_.data();
}

std::string for_restore(std::string value, int version) {
  append_byte(value, version & 0xFF);
  append_byte(value, version >> 8 & 0xFF);
  append_little_endian(value, crc64(value));
  return value;
}

bool loads(int own, int other) {
  constexpr int kLastInCommon = 11;
  if (own >= kFirstOfValkey && other < kFirstOfValkey) {
    return other <= kLastInCommon;
  }
  return other <= own;
}

void append_file_head(std::string& out) {
  out.append("REDIS0009");
}

void append_aux(std::string& out, std::string_view name, std::string_view value) {
  append_byte(out, kAux);
  append_string(out, name);
  append_string(out, value);
}

void append_select_db(std::string& out, std::uint32_t db, std::uint64_t keys,
                      std::uint64_t expires) {
  append_byte(out, kSelectDb);
  append_length(out, db);
  append_byte(out, kResizeDb);
  append_length(out, keys);
  append_length(out, expires);
}

void append_module_aux(std::string& out, std::uint64_t module_id, std::string_view value) {
  append_byte(out, kModuleAux);
  append_length(out, module_id);
  append_length(out, kModuleUnsigned);
  append_length(out, kAuxAfterKeys);
  append_length(out, kModuleString);
  append_string(out, value);
  append_length(out, kModuleEnd);
}

void append_file_end(std::string& out) {
  append_byte(out, kEof);
  append_little_endian(out, 0);
}

std::uint64_t module_type_id(std::string_view name, int encoding_version) {
  static constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  if (name.size() != 9) {
    throw Error(Errc::kUsage, "a module type's name has nine characters");
  }
  std::uint64_t id = 0;
  for (const char c : name) {
    const auto digit = kAlphabet.find(c);
    if (digit == std::string_view::npos) {
      throw Error(Errc::kUsage, "a module type's name has letters, digits, '-' and '_' only");
    }
    id = id << 6 | digit;
  }
  return id << 10 | static_cast<unsigned>(encoding_version);
}

}  // namespace rdmasync::redis::rdb

#include "rdma/cma/board.h"

#include <sys/stat.h>

#include <charconv>
#include <cstddef>
#include <fstream>
#include <system_error>
#include <vector>

#include "rdmasync/error.h"

namespace rdmasync::rdma {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

std::string to_hex(const Token& token) {
  std::string text;
  for (const std::byte byte : token) {
    text += kHexDigits[std::to_integer<unsigned>(byte >> 4)];
    text += kHexDigits[std::to_integer<unsigned>(byte & std::byte{15})];
  }
  return text;
}

template <typename Number>
bool read_number(std::string_view text, Number& number, int base) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number, base);
  return error == std::errc() && stop == end;
}

bool read_token(std::string_view text, Token& token) {
  if (text.size() != 2 * token.size()) {
    return false;
  }
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::uint8_t byte = 0;
    if (!read_number(text.substr(2 * i, 2), byte, 16)) {
      return false;
    }
    token[i] = std::byte{byte};
  }
  return true;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> fields;
  for (;;) {
    const std::size_t end = text.find(separator);
    fields.push_back(text.substr(0, end));
    if (end == std::string_view::npos) {
      return fields;
    }
    text.remove_prefix(end + 1);
  }
}

}  // namespace

std::string CmaEndpoint::print() const {
  return host + ':' + std::to_string(pid) + ':' + std::to_string(board) + ':' + to_hex(nonce);
}

CmaEndpoint CmaEndpoint::parse(std::string_view text) {
  const std::vector<std::string_view> fields = split(text, ':');
  CmaEndpoint endpoint;
  if (fields.size() != 4 || !read_number(fields[1], endpoint.pid, 10) || endpoint.pid <= 0 ||
      !read_number(fields[2], endpoint.board, 10) || !read_token(fields[3], endpoint.nonce)) {
    throw Error(Errc::kProtocol, "not an endpoint of the cma fabric: " + std::string(text));
  }
  endpoint.host = fields[0];
  return endpoint;
}

std::string cma_host() {
  std::string boot_id;
  std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), boot_id);
  struct stat pid_namespace {};
  if (boot_id.empty() || stat("/proc/self/ns/pid", &pid_namespace) != 0) {
    throw Error(Errc::kRefused,
                "the cma fabric cannot tell which host this is: mount /proc, or use "
                "another fabric");
  }
  return boot_id + '/' + std::to_string(pid_namespace.st_ino);
}

}  // namespace rdmasync::rdma

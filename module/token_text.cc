#include "module/token_text.h"

#include <charconv>

namespace rdmasync {

std::string to_text(const rdma::Token& token) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const std::byte byte : token) {
    text.push_back(kDigits[std::to_integer<unsigned>(byte) >> 4]);
    text.push_back(kDigits[std::to_integer<unsigned>(byte) & 0xF]);
  }
  return text;
}

std::optional<rdma::Token> token_from_text(std::string_view text) {
  rdma::Token token;
  if (text.size() != 2 * token.size()) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < token.size(); ++i) {
    unsigned value = 0;
    const char* digits = text.data() + 2 * i;
    if (std::from_chars(digits, digits + 2, value, 16).ptr != digits + 2) {
      return std::nullopt;
    }
    token[i] = static_cast<std::byte>(value);
  }
  return token;
}

}  // namespace rdmasync

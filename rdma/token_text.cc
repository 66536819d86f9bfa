#include "rdma/token_text.h"

#include <cstdint>

#include "rdmasync/number.h"

namespace rdmasync::rdma {

std::string to_text(const Token& token) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const std::byte byte : token) {
    text.push_back(kDigits[std::to_integer<unsigned>(byte) >> 4]);
    text.push_back(kDigits[std::to_integer<unsigned>(byte) & 0xF]);
  }
  return text;
}

std::optional<Token> token_from_text(std::string_view text) {
  Token token;
  if (text.size() != 2 * token.size()) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < token.size(); ++i) {
    const auto value = to_number<std::uint8_t>(text.substr(2 * i, 2), 16);
    if (!value) {
      return std::nullopt;
    }
    token[i] = std::byte{*value};
  }
  return token;
}

}  // namespace rdmasync::rdma

#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string_view>

namespace rdmasync {

/// The number that the whole text is; none if it is anything else or does not fit.
template <std::integral Number>
std::optional<Number> to_number(std::string_view text, int base = 10) {
  Number number{};
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number, base);
  if (error != std::errc{} || stop != end) {
    return std::nullopt;
  }
  return number;
}

/// The same of any number, with a fraction, an exponent, or infinite.
inline std::optional<double> to_double(std::string_view text) {
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || stop != end) {
    return std::nullopt;
  }
  return number;
}

}  // namespace rdmasync

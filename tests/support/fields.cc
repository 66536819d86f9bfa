#include "tests/support/fields.h"

#include <algorithm>
#include <charconv>

namespace rdmasync::test {

std::string Fields::text(const std::string& name) const {
  const auto found = find(name);
  return found == end() ? std::string() : found->second;
}

double Fields::number(const std::string& name) const {
  const std::string value = text(name);
  double number = 0;
  std::from_chars(value.data(), value.data() + value.size(), number);
  return number;
}

Fields parse_info(std::string_view text) {
  Fields fields;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find("\r\n"), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 2, text.size()));
    const std::size_t colon = line.find(':');
    if (!line.starts_with('#') && colon != std::string_view::npos) {
      fields.emplace(line.substr(0, colon), line.substr(colon + 1));
    }
  }
  return fields;
}

}  // namespace rdmasync::test

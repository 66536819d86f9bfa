#pragma once

#include <map>
#include <string>
#include <string_view>

namespace rdmasync::test {

/// Names and values, as INFO and RDMASYNC.STATUS tell them.
struct Fields : std::map<std::string, std::string> {
  /// Empty if there is no such field.
  std::string text(const std::string& name) const;
  /// 0 if there is no such field, or it is no number.
  double number(const std::string& name) const;
};

/// "field:value" lines of an INFO reply.
Fields parse_info(std::string_view text);

}  // namespace rdmasync::test

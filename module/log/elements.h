#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "module/redis/rdb.h"
#include "rdmasync/log_format.h"

/// The elements of a collection, as a part of it brings them: fields of a hash, members of a set or
/// of a sorted set.
namespace rdmasync::log {

struct Element {
  std::string_view name = {};
  bool gone = false;            ///< it is not in the collection; what follows says nothing
  std::string_view value = {};  ///< of a hash's field; of a sorted set the score, as text
  std::int64_t expire_at_ms = log_format::kNoExpiry;  ///< of a hash's field, Unix time
};

/// Whether an entry that is a part of a collection is its first.
bool begins(std::string_view entry);

void append_element(std::string& out, log_format::Part part, const Element& element);

/// Takes them from bytes that it does not own.
class Elements {
 public:
  Elements(log_format::Part part, std::string_view bytes) : part_(part), rest_(bytes) {}

  /// Nothing after the last. Throws Error(kProtocol) for what append_element() has not made.
  std::optional<Element> next();

 private:
  log_format::Part part_;
  redis::rdb::Reader rest_;
};

}  // namespace rdmasync::log

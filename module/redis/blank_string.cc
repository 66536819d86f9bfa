#include "module/redis/blank_string.h"

#include <dlfcn.h>

#include <cstring>

namespace rdmasync::redis {

namespace {

// Below this, zeroing costs nothing that anybody could measure.
constexpr std::size_t kWorthIt = 4096;

/// What the server's strings take, instead of initial bytes, to stay as the allocator gave them: a
/// pointer that it compares with its own (`SDS_NOINIT` in sds.c). Null if there is none.
const char* find_mark() {
  const auto* symbol = static_cast<const char* const*>(::dlsym(RTLD_DEFAULT, "SDS_NOINIT"));
  if (symbol == nullptr || *symbol == nullptr) {
    return nullptr;
  }
  // A server that took the mark for a text would copy it.
  const String probe{CreateString(nullptr, *symbol, kWorthIt)};
  const bool copied = std::memcmp(view(probe.get()).data(), *symbol, std::strlen(*symbol)) == 0;
  return copied ? nullptr : *symbol;
}

}  // namespace

String make_blank_string(std::size_t length) {
  static const char* const mark = find_mark();
  return String{CreateString(nullptr, length >= kWorthIt ? mark : nullptr, length)};
}

}  // namespace rdmasync::redis

#include "module/redis/log.h"

#include <cstdarg>
#include <cstdio>

#include "module/redis/api.h"

namespace rdmasync::redis {

void log_notice(const std::string& line) {
  Log(nullptr, "notice", "%s", line.c_str());
}
void log_warning(const std::string& line) {
  Log(nullptr, "warning", "%s", line.c_str());
}

std::string format(const char* pattern, ...) {
  va_list args;
  va_start(args, pattern);
  va_list again;
  va_copy(again, args);
  const int length = std::vsnprintf(nullptr, 0, pattern, args);
  va_end(args);
  std::string text(static_cast<std::size_t>(length) + 1, '\0');
  std::vsnprintf(text.data(), text.size(), pattern, again);
  va_end(again);
  text.pop_back();
  return text;
}

}  // namespace rdmasync::redis

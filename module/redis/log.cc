#include "module/redis/log.h"

#include "module/redis/api.h"

namespace rdmasync::redis {

void log_notice(const std::string& line) {
  Log(nullptr, "notice", "%s", line.c_str());
}
void log_warning(const std::string& line) {
  Log(nullptr, "warning", "%s", line.c_str());
}

}  // namespace rdmasync::redis

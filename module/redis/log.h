#pragma once

#include <string>

/// Lines in the server's log. From any thread.
namespace rdmasync::redis {

void log_notice(const std::string& line);
void log_warning(const std::string& line);

}  // namespace rdmasync::redis

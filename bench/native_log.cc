#include "bench/native_log.h"

#include <ctime>
#include <fstream>
#include <optional>
#include <sstream>

namespace rdmasync::bench {
namespace {

/// "1234:S 22 Nov 2026 18:33:57.123 * message"
std::optional<WallTime> time_of(const std::string& line) {
  std::istringstream words(line);
  std::string who;
  std::string day;
  std::string month;
  std::string year;
  std::string clock;
  words >> who >> day >> month >> year >> clock;
  const std::size_t dot = clock.find('.');
  std::tm fields{};
  const std::string date = day + " " + month + " " + year + " " + clock.substr(0, dot);
  if (dot == std::string::npos || strptime(date.c_str(), "%d %b %Y %H:%M:%S", &fields) == nullptr) {
    return std::nullopt;
  }
  fields.tm_isdst = -1;
  return std::chrono::system_clock::from_time_t(std::mktime(&fields)) +
         std::chrono::milliseconds(std::atoi(clock.c_str() + dot + 1));
}

double ms_between(WallTime from, WallTime to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

}  // namespace

std::vector<Part> native_parts(const std::filesystem::path& replica_log, WallTime start,
                               WallTime end) {
  std::vector<Part> parts;
  WallTime last = start;
  bool streamed = false;  // into the loader, so that transfer and load are one
  std::ifstream file(replica_log);
  for (std::string line; std::getline(file, line);) {
    const auto has = [&line](const char* text) { return line.find(text) != std::string::npos; };
    std::string ended;
    if (has("sync: receiving")) {
      ended = "wait for the first byte";
      streamed = has("to parser");
    } else if (has("sync: Loading DB in memory") && !streamed) {
      ended = "transfer";
    } else if (has("sync: Finished with success")) {
      ended = streamed ? "transfer and load" : "load";
    }
    const auto time = time_of(line);
    if (!ended.empty() && time) {
      parts.push_back({ended, ms_between(last, *time)});
      last = *time;
    }
  }
  parts.push_back({"link up", ms_between(last, end)});
  return parts;
}

}  // namespace rdmasync::bench

#include "bench/measure/native_log.h"

#include <algorithm>
#include <ctime>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

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

struct Event {
  WallTime time;
  std::string ended;  ///< the part that it is the end of
};

/// What ends with such a line.
using PartOf = std::string (*)(const std::string& line);

std::string part_of_master(const std::string& line) {
  const auto has = [&line](const char* text) { return line.find(text) != std::string::npos; };
  if (has("Starting BGSAVE for SYNC")) {
    return "wait";
  }
  return has("Background saving terminated with success") ? "write the file" : "";
}

std::string part_of_replica(const std::string& line) {
  const auto has = [&line](const char* text) { return line.find(text) != std::string::npos; };
  if (has("sync: Loading DB in memory")) {
    return "transfer";
  }
  return has("sync: Finished with success") ? "load" : "";
}

void add_events(std::vector<Event>& events, const std::filesystem::path& log, PartOf part_of) {
  std::ifstream file(log);
  for (std::string line; std::getline(file, line);) {
    const std::string ended = part_of(line);
    const auto time = time_of(line);
    if (!ended.empty() && time) {
      events.push_back({*time, ended});
    }
  }
}

}  // namespace

std::vector<Part> native_parts(const std::filesystem::path& master_log,
                               const std::filesystem::path& replica_log, WallTime start,
                               WallTime end) {
  std::vector<Event> events;
  add_events(events, master_log, part_of_master);
  add_events(events, replica_log, part_of_replica);
  std::stable_sort(events.begin(), events.end(),
                   [](const Event& one, const Event& other) { return one.time < other.time; });
  events.push_back({end, "link up"});
  std::vector<Part> parts;
  WallTime last = start;
  for (const Event& event : events) {
    // The log knows milliseconds, the start is finer.
    parts.push_back({event.ended, std::max(0.0, ms_between(last, event.time))});
    last = event.time;
  }
  return parts;
}

}  // namespace rdmasync::bench

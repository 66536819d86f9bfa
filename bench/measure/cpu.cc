#include "bench/measure/cpu.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

namespace rdmasync::bench {
namespace {

// Of /proc/PID/stat, counted from the state, which comes after the program's name.
constexpr std::size_t kMinorFaults = 7;
constexpr std::size_t kUserTime = 11;
constexpr std::size_t kChildUserTime = 13;

std::vector<std::string> stat_fields(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  std::istringstream words(line.substr(std::min(line.rfind(')') + 1, line.size())));
  std::vector<std::string> fields{std::istream_iterator<std::string>(words), {}};
  fields.resize(std::max<std::size_t>(fields.size(), kChildUserTime + 2), "0");
  return fields;
}

double seconds(const std::vector<std::string>& fields, std::size_t user_time) {
  static const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  return (std::stod(fields.at(user_time)) + std::stod(fields.at(user_time + 1))) / ticks;
}

double process_seconds(pid_t pid) {
  clockid_t clock{};
  timespec time{};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0) {
    return 0;
  }
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

double main_thread_seconds(pid_t pid) {
  const std::string task = fmt::format("/proc/{0}/task/{0}/", pid);
  std::ifstream file(task + "schedstat");
  double nanoseconds = 0;
  // Finer than the ticks, where the kernel keeps it.
  return file >> nanoseconds ? nanoseconds / 1e9 : seconds(stat_fields(task + "stat"), kUserTime);
}

}  // namespace

CpuTime cpu_time(pid_t pid) {
  const double main = main_thread_seconds(pid);
  return {main, std::max(0.0, process_seconds(pid) - main),
          seconds(stat_fields(fmt::format("/proc/{}/stat", pid)), kChildUserTime)};
}

double stolen_ms() {
  constexpr std::size_t kSteal = 8;  // of the first line of /proc/stat, after its name
  std::ifstream file("/proc/stat");
  std::string line;
  std::getline(file, line);
  std::istringstream words(line);
  const std::vector<std::string> fields{std::istream_iterator<std::string>(words), {}};
  return fields.size() > kSteal
             ? std::stod(fields[kSteal]) * 1000 / static_cast<double>(sysconf(_SC_CLK_TCK))
             : 0;
}

double page_faults(pid_t pid) {
  return std::stod(stat_fields(fmt::format("/proc/{}/stat", pid)).at(kMinorFaults));
}

}  // namespace rdmasync::bench

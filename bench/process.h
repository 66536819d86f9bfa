#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace rdmasync::bench {

/// A program of our own that never outlives us: killed when this object goes, when we are
/// interrupted, and when we die ourselves.
class Process {
 public:
  /// `output` is a file descriptor for its standard output; -1: ours.
  explicit Process(const std::vector<std::string>& command, int output = -1);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  bool running();
  /// Blocks until it has ended. Its exit status, or 128 and the number of the signal.
  int wait();

 private:
  pid_t pid_ = -1;
  std::size_t slot_ = 0;
};

/// Runs a program to its end. What it wrote to its standard output; throws std::runtime_error if it
/// failed.
std::string output_of(const std::vector<std::string>& command);

/// What scripts/build has filled, and this program is in.
std::filesystem::path build_directory();

/// From here on SIGINT, SIGTERM and SIGHUP kill the running processes, so that whatever waits for
/// one of them fails at once and the stack unwinds.
void handle_interrupts();
bool interrupted();
void throw_if_interrupted();

}  // namespace rdmasync::bench

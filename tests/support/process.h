#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <vector>

namespace rdmasync::test {

/// A program of our own that never outlives us: killed when this object goes, when we are
/// interrupted, and when we die ourselves.
class Process {
 public:
  /// File descriptors for its standard output and error; -1: ours.
  explicit Process(const std::vector<std::string>& command, int output = -1, int errors = -1);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  bool running();
  void signal(int number) const;
  /// Blocks until it has ended. Its exit status, or 128 and the number of the signal.
  int wait();
  /// What wait() returns, once running() has returned false.
  int status() const { return status_; }

 private:
  void ended(int wait_status);

  pid_t pid_ = -1;  ///< -1: it has ended
  std::size_t slot_ = 0;
  int status_ = 0;
};

/// Runs a program to its end. What it wrote to its standard output; throws std::runtime_error if it
/// failed.
std::string output_of(const std::vector<std::string>& command);

/// From here on SIGINT, SIGTERM and SIGHUP kill the running processes, so that whatever waits for
/// one of them fails at once and the stack unwinds.
void handle_interrupts();
bool interrupted();
void throw_if_interrupted();

}  // namespace rdmasync::test

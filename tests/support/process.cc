#include "tests/support/process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <system_error>

namespace rdmasync::test {
namespace {

constexpr int kNoProgram = 127;
constexpr std::size_t kMostProcesses = 64;
// The signal handler reads these.
std::array<std::atomic<pid_t>, kMostProcesses> running_pids{};
std::atomic<bool> stop_requested{false};
static_assert(std::atomic<pid_t>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

void on_signal(int /*signal*/) {
  stop_requested = true;
  for (const auto& pid : running_pids) {
    if (pid > 0) {
      kill(pid, SIGKILL);
    }
  }
}

std::size_t claim_slot(pid_t pid) {
  for (std::size_t slot = 0; slot < kMostProcesses; ++slot) {
    pid_t free = 0;
    if (running_pids.at(slot).compare_exchange_strong(free, pid)) {
      return slot;
    }
  }
  throw std::logic_error("too many processes at once");
}

[[noreturn]] void become(char* const* arguments, pid_t parent, int output, int errors) {
  // A group of its own, or Ctrl-C on the terminal would reach it too.
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() == parent && (output < 0 || dup2(output, STDOUT_FILENO) >= 0) &&
      (errors < 0 || dup2(errors, STDERR_FILENO) >= 0)) {
    execvp(arguments[0], arguments);
  }
  _exit(kNoProgram);
}

}  // namespace

Process::Process(const std::vector<std::string>& command, int output, int errors) {
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& argument : command) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  const pid_t parent = getpid();
  throw_if_interrupted();
  pid_ = fork();
  if (pid_ == 0) {
    become(arguments.data(), parent, output, errors);
  }
  if (pid_ < 0) {
    throw std::system_error(errno, std::generic_category(), "fork");
  }
  slot_ = claim_slot(pid_);
}

Process::~Process() {
  if (pid_ > 0) {
    running_pids.at(slot_) = 0;
    kill(pid_, SIGKILL);
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
}

bool Process::running() {
  int wait_status = 0;
  if (pid_ > 0 && waitpid(pid_, &wait_status, WNOHANG) == pid_) {
    ended(wait_status);
  }
  return pid_ > 0;
}

void Process::signal(int number) const {
  if (pid_ > 0) {
    kill(pid_, number);
  }
}

int Process::wait() {
  int wait_status = 0;
  while (pid_ > 0) {
    if (waitpid(pid_, &wait_status, 0) == pid_) {
      ended(wait_status);
    } else if (errno != EINTR) {
      throw std::system_error(errno, std::generic_category(), "waitpid");
    }
  }
  return status_;
}

void Process::ended(int wait_status) {
  running_pids.at(slot_) = 0;
  pid_ = -1;
  status_ = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

std::string output_of(const std::vector<std::string>& command) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw std::system_error(errno, std::generic_category(), "pipe");
  }
  Process process(command, ends[1]);
  close(ends[1]);
  std::string output;
  std::array<char, 4096> buffer{};
  for (ssize_t got = 0; (got = read(ends[0], buffer.data(), buffer.size())) != 0;) {
    if (got > 0) {
      output.append(buffer.data(), static_cast<std::size_t>(got));
    } else if (errno != EINTR) {
      break;
    }
  }
  close(ends[0]);
  const int status = process.wait();
  throw_if_interrupted();
  if (status == kNoProgram) {
    throw std::runtime_error(command.front() + " cannot be run; scripts/setup --bench installs it");
  }
  if (status != 0) {
    throw std::runtime_error(command.front() + " failed with status " + std::to_string(status) +
                             ": " + output);
  }
  return output;
}

void handle_interrupts() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    sigaction(signal, &action, nullptr);
  }
}

bool interrupted() {
  return stop_requested;
}

void throw_if_interrupted() {
  if (interrupted()) {
    throw std::runtime_error("interrupted");
  }
}

}  // namespace rdmasync::test

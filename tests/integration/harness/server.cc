#include "harness/server.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>
#include <stdexcept>

#include "harness/wait.h"

namespace rdmasync::test {
namespace {

std::string from_environment(const char* name, const char* fallback) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : fallback;
}

std::filesystem::path make_directory() {
  std::string path = (std::filesystem::temp_directory_path() / "rdmasync-test-XXXXXX").string();
  if (mkdtemp(path.data()) == nullptr) {
    throw std::runtime_error("mkdtemp " + path);
  }
  return path;
}

/// Below the kernel's ephemeral range, so that no outgoing connection takes it meanwhile.
int candidate_port() {
  static std::mt19937 random{std::random_device{}()};
  return std::uniform_int_distribution<int>(11000, 30000)(random);
}

}  // namespace

std::string module_path() {
  return from_environment("RDMASYNC_SO", RDMASYNC_TEST_MODULE);
}
std::string testtype_path() {
  return RDMASYNC_TEST_TESTTYPE;
}

Server::Server(std::string name, ServerOptions options)
    : name_(std::move(name)), options_(std::move(options)), directory_(make_directory()) {
  constexpr int kAttempts = 20;
  for (int attempt = 0; attempt < kAttempts; attempt++) {
    port_ = candidate_port();
    write_config();
    spawn();
    if (became_ready()) {
      return;
    }
    if (log().find("Address already in use") == std::string::npos) {
      break;
    }
    std::filesystem::remove(directory_ / "log");
  }
  const std::string tail = log_tail(40);
  std::filesystem::remove_all(directory_);
  throw std::runtime_error(name_ + " did not start:\n" + tail);
}

Server::~Server() {
  kill();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void Server::write_config() const {
  std::ofstream out(directory_ / "redis.conf");
  out << "bind 127.0.0.1\nport " << port_ << "\ndir " << directory_.string()
      << "\nlogfile log\nenable-debug-command yes\nshutdown-timeout 0\n";
  if (!options_.snapshots) {
    out << "save \"\"\n";
  }
  if (options_.load_testtype) {
    out << "loadmodule " << testtype_path() << "\n";
  }
  if (options_.load_module) {
    out << "loadmodule " << module_path();
    for (const std::string& argument : options_.module_args) {
      out << ' ' << argument;
    }
    out << "\n";
  }
  for (const std::string& line : options_.config) {
    out << line << "\n";
  }
}

void Server::spawn() {
  const std::string program =
      options_.program.empty()
          ? from_environment("RDMASYNC_REDIS_SERVER", RDMASYNC_TEST_REDIS_SERVER)
          : options_.program;
  const std::string config = (directory_ / "redis.conf").string();
  const std::string output = (directory_ / "output").string();
  std::vector<std::string> command = options_.launcher;
  command.insert(command.end(), {program, config});
  std::vector<char*> argv;
  argv.reserve(command.size() + 1);
  for (std::string& argument : command) {
    argv.push_back(argument.data());
  }
  argv.push_back(nullptr);
  client_.reset();
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ < 0) {
    throw std::runtime_error("fork");
  }
  if (pid_ == 0) {
    // No server outlives a test program that is killed.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
      _exit(127);
    }
    const int fd = open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    execvp(argv.front(), argv.data());
    _exit(127);
  }
}

bool Server::became_ready() {
  bool ready = false;
  wait_until(name_ + " is ready or gone", [&] {
    if (!alive()) {
      return true;
    }
    try {
      // Another process may own the port while ours is about to fail: ask whom we talk to.
      Client probe = connect();
      const auto fields = parse_info(probe.must("INFO", "everything").text);
      ready = fields.at("process_id") == std::to_string(pid_) && fields.at("loading") == "0";
    } catch (const std::runtime_error&) {
      ready = false;
    }
    return ready;
  });
  return ready;
}

void Server::start() {
  if (alive()) {
    throw std::logic_error(name_ + " runs already");
  }
  write_config();
  spawn();
  if (!became_ready()) {
    throw std::runtime_error(name_ + " did not start again:\n" + log_tail(40));
  }
}

bool Server::reap(bool wait) {
  if (pid_ < 0) {
    return true;
  }
  if (waitpid(pid_, &exit_status_, wait ? 0 : WNOHANG) == 0) {
    return false;
  }
  pid_ = -1;
  client_.reset();
  return true;
}

bool Server::alive() {
  return !reap(false);
}

void Server::kill() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    reap(true);
  }
}

bool Server::stop() {
  if (!alive()) {
    return WIFEXITED(exit_status_) && WEXITSTATUS(exit_status_) == 0;
  }
  client_.reset();
  ::kill(pid_, SIGTERM);
  ::kill(pid_, SIGCONT);  // a test may have stopped it
  wait_until(name_ + " has stopped after SIGTERM", [&] { return !alive(); });
  return WIFEXITED(exit_status_) && WEXITSTATUS(exit_status_) == 0;
}

Client Server::connect() const {
  Client client(host_, port_);
  if (!options_.username.empty()) {
    client.must("AUTH", options_.username, options_.password);
  } else if (!options_.password.empty()) {
    client.must("AUTH", options_.password);
  }
  return client;
}

Client& Server::client() {
  if (!client_) {
    client_ = std::make_unique<Client>(connect());
  }
  return *client_;
}

std::map<std::string, std::string> Server::info(const std::string& section) {
  return parse_info(must("INFO", section).text);
}

std::string Server::info(const std::string& section, const std::string& field) {
  const auto fields = info(section);
  const auto found = fields.find(field);
  return found == fields.end() ? std::string() : found->second;
}

std::string Server::config(const std::string& name) {
  const Reply reply = must("CONFIG", "GET", name);
  return reply.elements.size() < 2 ? std::string() : reply.elements[1].text;
}

std::string Server::log() const {
  std::ostringstream text;
  for (const char* file : {"log", "output"}) {
    if (const std::ifstream in(directory_ / file); in) {
      text << in.rdbuf();
      text.clear();
    }
  }
  return text.str();
}

std::string Server::log_tail(std::size_t lines) const {
  const std::string text = log();
  std::size_t begin = text.size();
  for (std::size_t found = 0; begin > 0; begin--) {
    if (text[begin - 1] == '\n' && found++ == lines) {
      break;
    }
  }
  return text.substr(begin);
}

}  // namespace rdmasync::test

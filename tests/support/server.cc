#include "tests/support/server.h"

#include <fcntl.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>
#include <stdexcept>

#include "rdma/unique_fd.h"
#include "tests/support/wait.h"

namespace rdmasync::test {
namespace {

std::string from_environment(const char* name, const char* fallback) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : fallback;
}

/// Of a server that has not yet written its first AOF.
std::size_t refusals_to_stop(const std::string& log) {
  constexpr std::string_view kWords = "Writing initial AOF";
  std::size_t found = 0;
  for (auto at = log.find(kWords); at != std::string::npos; at = log.find(kWords, at + 1)) {
    ++found;
  }
  return found;
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
    : name_(std::move(name)), options_(std::move(options)) {
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
    std::filesystem::remove(directory() / "log");
  }
  throw std::runtime_error(name_ + " did not start:\n" + log_tail(40));
}

void Server::write_config() const {
  std::ofstream out(directory() / "redis.conf");
  out << "bind 127.0.0.1\nport " << port_ << "\ndir " << directory().string()
      << "\nlogfile log\nenable-debug-command yes\nshutdown-timeout 0\n";
  if (options_.unix_socket) {
    out << "unixsocket " << (directory() / "socket").string() << "\n";
  }
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
  std::vector<std::string> command = options_.launcher;
  command.insert(command.end(), {program, (directory() / "redis.conf").string()});
  command.insert(command.end(), options_.arguments.begin(), options_.arguments.end());
  client_.reset();
  const rdma::UniqueFd output(
      open((directory() / "output").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  process_ = std::make_unique<Process>(command, output.get(), output.get());
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
      ready = fields.at("process_id") == std::to_string(pid()) && fields.text("loading") != "1";
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
  start_as_rewritten();
}

void Server::start_as_rewritten() {
  spawn();
  if (!became_ready()) {
    throw std::runtime_error(name_ + " did not start again:\n" + log_tail(40));
  }
}

bool Server::alive() {
  if (process_ && process_->running()) {
    return true;
  }
  client_.reset();
  return false;
}

void Server::kill() {
  process_->signal(SIGKILL);
  process_->wait();
  client_.reset();
}

bool Server::stop() {
  client_.reset();
  std::size_t refusals = refusals_to_stop(log());
  process_->signal(SIGTERM);
  process_->signal(SIGCONT);  // a test may have stopped it
  wait_until(name_ + " has stopped after SIGTERM", [&] {
    if (!alive()) {
      return true;
    }
    // Then it has forgotten the signal.
    if (const std::size_t now = refusals_to_stop(log()); now > refusals) {
      refusals = now;
      process_->signal(SIGTERM);
    }
    return false;
  });
  return process_->status() == 0;
}

Client Server::connect() const {
  Client client = options_.unix_socket ? Client(directory() / "socket") : Client(host_, port_);
  if (!options_.username.empty()) {
    client.must("AUTH", options_.username, options_.password);
  } else if (!options_.password.empty()) {
    client.must("AUTH", options_.password);
  }
  return client;
}

Client& Server::client() {
  // Sentinel, for one, ends the connections of a server that it has made a replica.
  if (!client_ || client_->closed()) {
    client_ = std::make_unique<Client>(connect());
  }
  return *client_;
}

Fields Server::info(const std::string& section) {
  return client().info(section);
}

std::string Server::info(const std::string& section, const std::string& field) {
  return info(section).text(field);
}

std::string Server::config(const std::string& name) {
  const Reply reply = must("CONFIG", "GET", name);
  return reply.elements.size() < 2 ? std::string() : reply.elements[1].text;
}

std::string Server::log() const {
  std::ostringstream text;
  for (const char* file : {"log", "output"}) {
    if (const std::ifstream in(directory() / file); in) {
      text << in.rdbuf();
      text.clear();
    }
  }
  return text.str();
}

std::string Server::log_tail(std::size_t lines) const {
  constexpr std::size_t kReport = 16 << 10;
  const std::string text = log();
  const auto crash = text.find("BUG REPORT START");
  if (crash != std::string::npos) {
    return text.substr(crash, kReport);
  }
  std::size_t begin = text.size();
  for (std::size_t found = 0; begin > 0; begin--) {
    if (text[begin - 1] == '\n' && found++ == lines) {
      break;
    }
  }
  return text.substr(begin);
}

}  // namespace rdmasync::test

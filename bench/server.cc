#include "bench/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace rdmasync::bench {
int free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const bool ok = fd >= 0 && bind(fd, generic, size) == 0 && getsockname(fd, generic, &size) == 0;
  const int error = errno;
  close(fd);
  if (!ok) {
    throw std::system_error(error, std::generic_category(), "no free port");
  }
  return ntohs(address.sin_port);
}

Scratch::Scratch() {
  std::string name = (std::filesystem::temp_directory_path() / "rdmasync.XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) {
    throw std::system_error(errno, std::generic_category(), "cannot make " + name);
  }
  path_ = name;
}

Scratch::~Scratch() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Server::Server(std::vector<std::string> command, std::filesystem::path directory,
               const std::vector<std::string>& settings)
    : directory_(std::move(directory)) {
  std::filesystem::create_directories(directory_);
  const auto config_file = directory_ / "redis.conf";
  command.push_back(config_file.string());
  // The port may be taken between our asking for a free one and the server's binding it.
  for (int attempt = 0; attempt < 3; ++attempt) {
    port_ = free_port();
    {
      std::ofstream config(config_file);
      config << "port " << port_ << "\nunixsocket " << socket().string() << "\ndir "
             << directory_.string() << "\nlogfile " << log().string() << "\n";
      for (const std::string& line : settings) {
        config << line << "\n";
      }
    }
    process_ = std::make_unique<Process>(command);
    if (wait_until_up()) {
      return;
    }
  }
  throw std::runtime_error("redis-server does not start:\n" + log_tail());
}

bool Server::wait_until_up() {
  constexpr auto kPatience = std::chrono::seconds(10);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (process_->running() && std::chrono::steady_clock::now() < deadline) {
    throw_if_interrupted();
    try {
      connect().command({"PING"});
      return true;
    } catch (const std::runtime_error&) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
  return false;
}

std::string Server::log_tail() const {
  constexpr std::size_t kLines = 12;
  std::ifstream file(log());
  std::deque<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    lines.push_back(line);
    if (lines.size() > kLines) {
      lines.pop_front();
    }
  }
  std::string tail;
  for (const std::string& line : lines) {
    tail += "  " + line + "\n";
  }
  return tail;
}

}  // namespace rdmasync::bench

#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "bench/client.h"
#include "bench/process.h"

namespace rdmasync::bench {

/// A free TCP port of 127.0.0.1; another program may take it.
int free_port();

/// A temporary directory, removed with all that is in it.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// A redis-server on a free port, in a directory of its own.
class Server {
 public:
  /// `command` runs the server; `settings` are lines of redis.conf.
  Server(std::vector<std::string> command, std::filesystem::path directory,
         const std::vector<std::string>& settings);

  int port() const { return port_; }
  pid_t pid() const { return process_->pid(); }
  /// By a socket of this machine, whatever network the server is in.
  Client connect() const { return Client(socket()); }
  std::filesystem::path socket() const { return directory_ / "socket"; }
  std::filesystem::path log() const { return directory_ / "log"; }
  /// The last lines of the log, for an error message.
  std::string log_tail() const;

 private:
  bool wait_until_up();

  std::filesystem::path directory_;
  int port_ = 0;
  std::unique_ptr<Process> process_;
};

}  // namespace rdmasync::bench

#pragma once

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/client.h"
#include "tests/support/process.h"
#include "tests/support/scratch.h"

namespace rdmasync::test {

struct ServerOptions {
  std::vector<std::string> config = {};       ///< lines of redis.conf
  std::vector<std::string> module_args = {};  ///< "name value" pairs of the loadmodule line
  bool load_module = true;                    ///< the module under test
  bool load_testtype = true;                  ///< the test-only data type
  bool snapshots = false;                     ///< leave Redis's default save points on
  std::string username = {};                  ///< the harness's own clients log in as
  std::string password = {};
  std::string program = {};  ///< the server; empty: RDMASYNC_REDIS_SERVER, or what CMake found
  std::vector<std::string> launcher = {};   ///< a command that runs the server as its last argument
  std::vector<std::string> arguments = {};  ///< of the server, after its configuration
  bool unix_socket = false;  ///< clients connect by that, whatever network the server is in
};

/// A real redis-server process with a directory of its own on a free port of 127.0.0.1.
class Server {
 public:
  Server(std::string name, ServerOptions options);
  ~Server() = default;
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// The crash of a machine: SIGKILL.
  void kill();
  /// SIGTERM, and waits for the exit. True if the server exited with status 0.
  bool stop();
  /// Starts it again, same directory and port, with its options as they are now.
  void start();
  /// The same, with the redis.conf that CONFIG REWRITE has made.
  void start_as_rewritten();
  bool alive();

  const std::string& name() const { return name_; }
  const std::string& host() const { return host_; }
  int port() const { return port_; }
  pid_t pid() const { return process_ ? process_->pid() : -1; }
  const std::filesystem::path& directory() const { return scratch_.path(); }
  ServerOptions& options() { return options_; }

  /// A connection of the caller's own, logged in.
  Client connect() const;
  /// A connection kept for the harness; reconnects after a restart.
  Client& client();

  template <class... Args>
  Reply command(const Args&... args) {
    return client().command(args...);
  }
  template <class... Args>
  Reply must(const Args&... args) {
    return client().must(args...);
  }

  /// One field of one INFO section; empty if there is none.
  std::string info(const std::string& section, const std::string& field);
  Fields info(const std::string& section);
  std::string config(const std::string& name);

  std::string log() const;
  /// Of one that has crashed, the report instead.
  std::string log_tail(std::size_t lines) const;

 private:
  void spawn();
  bool became_ready();
  void write_config() const;

  std::string name_;
  ServerOptions options_;
  std::string host_ = "127.0.0.1";
  Scratch scratch_;
  int port_ = 0;
  std::unique_ptr<Process> process_;
  std::unique_ptr<Client> client_;
};

/// The module under test: RDMASYNC_SO, or what CMake built.
std::string module_path();
std::string testtype_path();

}  // namespace rdmasync::test

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "module/protocol/replies.h"
#include "module/protocol/requests.h"

struct redisContext;
struct redisReply;

namespace rdmasync::replica {

/// Where the master is and how to log in there: Redis's own masterauth and masteruser.
struct MasterAddress {
  std::string host;
  int port = 0;
  std::string user;
  std::string password;
  std::string source = {};  ///< the address of ours to connect from; empty: any
};

/// A connection to the master that sends commands and waits for replies.
///
/// For one thread of ours, never the main one. Every wait ends after `timeout`, and at once when
/// `stop` is requested: with Error(kPeerLost) or Error(kCancelled). An error reply of the master is
/// an Error with its text: kLogin, kBusy, kPermission, kUnknownCommand, or kRefused for any other.
class ControlConnection {
 public:
  using Reply = std::shared_ptr<redisReply>;

  ControlConnection(const MasterAddress& address, std::chrono::milliseconds timeout,
                    std::stop_token stop);
  ControlConnection(const ControlConnection&) = delete;
  ControlConnection& operator=(const ControlConnection&) = delete;
  ~ControlConnection();

  Reply command(const std::vector<std::string>& args);
  Reply command(const protocol::Request& request) { return command(protocol::to_command(request)); }

  /// For commands without a reply.
  void send(const std::vector<std::string>& args);
  void send(const protocol::Request& request) { send(protocol::to_command(request)); }

  /// Throws Error(kPeerLost) if the master has closed the connection. Never blocks.
  void check_alive();

  /// The socket, for protocols of its own; still owned here.
  int fd() const;

 private:
  struct Close {
    void operator()(redisContext* context) const;
  };
  [[noreturn]] void fail();
  void log_in(const MasterAddress& address);

  std::string name_;  ///< host:port, for messages
  std::stop_token stop_;
  std::unique_ptr<redisContext, Close> context_;
  std::unique_ptr<std::stop_callback<std::function<void()>>> interrupt_;
};

/// Helpers for replies. Throw Error(kProtocol) when a reply is of another type.
std::string_view text_of(const redisReply& reply);
const redisReply& element_of(const redisReply& reply, std::size_t index);
std::size_t elements_of(const redisReply& reply);
protocol::Fields fields_of(const redisReply& reply);

}  // namespace rdmasync::replica

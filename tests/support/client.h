#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/fields.h"

struct redisContext;
struct redisReply;

namespace rdmasync::test {

using Command = std::vector<std::string>;

/// One reply, as a value.
struct Reply {
  enum class Type { kNil, kStatus, kError, kInteger, kString, kArray };

  Type type = Type::kNil;
  std::string text;
  long long number = 0;
  std::vector<Reply> elements;

  bool is_nil() const { return type == Type::kNil; }
  bool is_error() const { return type == Type::kError; }
  bool is_array() const { return type == Type::kArray; }
  /// Everything in it on one line, binary bytes escaped: two replies are equal if this is.
  std::string describe() const;
};

/// One reply as hiredis has it, for programs that must not copy a large one.
struct FreeRawReply {
  void operator()(redisReply* reply) const;
};
using RawReply = std::unique_ptr<redisReply, FreeRawReply>;
/// Of a bulk or status reply; as long as the reply.
std::string_view view(const redisReply& reply);

/// The server closed the connection, or never accepted it, or did not answer in time.
class ConnectionLost : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The server answered -ERR where the test needed a result.
class ErrorReply : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

inline std::string to_argument(std::string_view text) {
  return std::string(text);
}
std::string to_argument(std::integral auto number) {
  return std::to_string(number);
}

/// A connection; binary-safe in both directions. One thread at a time.
class Client {
 public:
  Client(const std::string& host, int port);
  /// By a socket of this machine.
  explicit Client(const std::filesystem::path& socket);

  /// Sends one command and returns whatever the server says, errors included.
  template <class... Args>
  Reply command(const Args&... args) {
    return run({to_argument(args)...});
  }
  /// The same, but waits while the server loads a dataset, and an error reply throws ErrorReply.
  template <class... Args>
  Reply must(const Args&... args) {
    return checked({to_argument(args)...});
  }
  Reply run(const Command& command);
  Reply checked(const Command& command);

  /// Pipelining: send without waiting, then read as many replies.
  void send(const Command& command);
  void append(std::initializer_list<std::string_view> command);
  Reply receive();
  /// Throws ErrorReply.
  RawReply receive_raw();
  /// So many replies; any error throws ErrorReply.
  void drain(std::uint64_t replies);
  /// Writes out what send() has buffered, without reading anything.
  void flush();
  /// Whether an answer to what was flushed begins to come within that time.
  bool answers_within(std::chrono::milliseconds time) const;
  /// Whether the server has closed the connection; only between commands.
  bool closed() const;

  Fields info(std::string_view section);
  /// RDMASYNC.STATUS; empty while the server is loading.
  Fields status();

 private:
  Client(redisContext* context, const std::string& where);
  RawReply receive_any();
  struct Free {
    void operator()(redisContext* context) const;
  };
  std::unique_ptr<redisContext, Free> context_;
};

/// Sends many commands with few round trips; any error reply throws.
class Pipeline {
 public:
  explicit Pipeline(Client& client) : client_(client) {}
  ~Pipeline() = default;
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  template <class... Args>
  void add(const Args&... args) {
    add_command({to_argument(args)...});
  }
  void add_command(const Command& command);
  /// Waits for what is outstanding. Must be called after the last add().
  void finish();

 private:
  static constexpr std::size_t kMaxBytes = 4 << 20;
  static constexpr std::size_t kMaxCommands = 512;

  Client& client_;
  std::vector<std::string> sent_;  ///< names, for the error text
  std::size_t bytes_ = 0;
};

/// Runs all commands with few round trips and returns the replies in order.
std::vector<Reply> run_all(Client& client, const std::vector<Command>& commands);

/// Printable form of binary bytes, cut when long.
std::string printable(std::string_view bytes);

}  // namespace rdmasync::test

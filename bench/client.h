#pragma once

#include <hiredis/hiredis.h>

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace rdmasync::bench {

struct FreeReply {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, FreeReply>;
/// Of a bulk or status reply; as long as the reply.
inline std::string_view view(const redisReply& reply) {
  return {reply.str, reply.len};
}

using Arguments = std::initializer_list<std::string_view>;

/// Names and values, as INFO and RDMASYNC.STATUS tell them.
class Fields {
 public:
  void set(std::string name, std::string value) { values_[std::move(name)] = std::move(value); }
  /// Empty if there is no such field.
  std::string text(const std::string& name) const;
  /// 0 if there is no such field, or it is no number.
  double number(const std::string& name) const;

 private:
  std::map<std::string, std::string> values_;
};

/// A connection to a server. Throws std::runtime_error when it is lost, and on error replies.
class Client {
 public:
  Client(const std::string& host, int port);
  /// By a socket of this machine.
  explicit Client(const std::filesystem::path& socket);

  Reply command(Arguments arguments);
  /// The reply may be an error.
  Reply try_command(Arguments arguments);

  /// Pipelining: any number of `append`, then as many replies.
  void append(Arguments arguments);
  /// Sends what was appended; `read` does, too.
  void flush();
  Reply read();
  void drain(std::uint64_t replies);

  Fields info(std::string_view section);
  /// RDMASYNC.STATUS; empty fields while the server is loading.
  Fields status();

 private:
  struct Close {
    void operator()(redisContext* context) const { redisFree(context); }
  };

  Client(redisContext* context, const std::string& where);
  Reply read_any();
  [[noreturn]] void lost() const;

  std::unique_ptr<redisContext, Close> context_;
};

}  // namespace rdmasync::bench

#pragma once

#include <hiredis/hiredis.h>

#include <cstdint>
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

/// A connection to a server of this machine. Throws std::runtime_error when it is lost, and on
/// error replies.
class Client {
 public:
  explicit Client(int port);

  Reply command(Arguments arguments);

  /// Pipelining: any number of `append`, then as many replies.
  void append(Arguments arguments);
  Reply read();
  void drain(std::uint64_t replies);

  Fields info(std::string_view section);
  /// RDMASYNC.STATUS; empty fields while the server is loading.
  Fields status();

 private:
  struct Close {
    void operator()(redisContext* context) const { redisFree(context); }
  };

  Reply read_any();

  std::unique_ptr<redisContext, Close> context_;
};

}  // namespace rdmasync::bench

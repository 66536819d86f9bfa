#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

#include "module/redis/server.h"

namespace rdmasync::redis {

/// What CLIENT LIST tells of one client.
class ClientLine {
 public:
  explicit ClientLine(std::string_view line) : line_(line) {}

  /// Empty if there is no such field.
  std::string_view field(std::string_view name) const;
  /// 0 if there is no such field, or it is no number.
  std::int64_t number(std::string_view name) const;
  bool has_flag(char flag) const { return field("flags").find(flag) != std::string_view::npos; }

 private:
  std::string_view line_;
};

/// The reply to CLIENT LIST, with its `filter` (such as {"ID", "7"}). Main thread.
class ClientList {
 public:
  /// Throws Error(kRefused).
  ClientList(RedisModuleCtx* ctx, std::initializer_list<std::string_view> filter);

  /// Valid as long as the list.
  const std::vector<ClientLine>& clients() const { return clients_; }

 private:
  Reply reply_;
  std::vector<ClientLine> clients_;
};

/// Where this server's own master goes on with its stream: the database that it has selected,
/// behind what is applied. Nothing as long as there is no link. Main thread. Throws
/// Error(kRefused).
std::optional<std::uint32_t> database_of_stream(RedisModuleCtx* ctx);

}  // namespace rdmasync::redis

#include "module/redis/client_list.h"

#include <algorithm>

#include "rdmasync/number.h"

namespace rdmasync::redis {

std::string_view ClientLine::field(std::string_view name) const {
  for (std::size_t start = 0; start < line_.size();) {
    const std::size_t end = std::min(line_.find(' ', start), line_.size());
    const std::string_view word = line_.substr(start, end - start);
    if (word.size() > name.size() && word.starts_with(name) && word[name.size()] == '=') {
      return word.substr(name.size() + 1);
    }
    start = end + 1;
  }
  return {};
}

std::int64_t ClientLine::number(std::string_view name) const {
  return to_number<std::int64_t>(field(name)).value_or(0);
}

ClientList::ClientList(RedisModuleCtx* ctx, std::initializer_list<std::string_view> filter) {
  std::vector<std::string_view> args = {"LIST"};
  args.insert(args.end(), filter);
  reply_ = call(ctx, kClient, args);
  for (std::string_view text = view(reply_.get()); !text.empty();) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    clients_.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::optional<std::uint32_t> database_of_stream(RedisModuleCtx* ctx) {
  const ClientList list(ctx, {"TYPE", "MASTER"});
  if (list.clients().empty()) {
    return std::nullopt;
  }
  return static_cast<std::uint32_t>(list.clients().front().number("db"));
}

}  // namespace rdmasync::redis

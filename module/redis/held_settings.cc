#include "module/redis/held_settings.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "module/redis/context.h"
#include "module/redis/guard.h"
#include "module/redis/server.h"
#include "rdmasync/error.h"
#include "rdmasync/number.h"

namespace rdmasync::redis {

namespace {

constexpr const char* kBacklogSize = "repl-backlog-size";

std::set<HeldSettings*>& all_holders() {
  static std::set<HeldSettings*> holders;
  return holders;
}

/// The server trims a backlog as soon as it may not be so large.
bool would_lose_bytes(const std::string& name, const std::string& value) {
  return name == kBacklogSize && Info("replication").number("repl_backlog_histlen") >
                                     to_number<std::int64_t>(value).value_or(0);
}

}  // namespace

HeldSettings::HeldSettings() {
  all_holders().insert(this);
}

HeldSettings::~HeldSettings() {
  all_holders().erase(this);
}

void HeldSettings::hold(RedisModuleCtx* ctx, Client client, const Values& values) {
  for (const auto& [name, value] : values) {
    std::string present = config_get(ctx, name);
    auto& held = held_.try_emplace(name, Held{present, present}).first->second;
    if (present == held.now) {
      config_set(ctx, name, value);
      held.now = config_get(ctx, name);
    }
  }
  clients_.insert(client);
}

void HeldSettings::release(Client client) {
  if (clients_.erase(client) == 0 || !clients_.empty()) {
    return;
  }
  put_back(module_context());
}

void HeldSettings::put_back(RedisModuleCtx* ctx) {
  for (const auto& [name, held] : held_) {
    if (config_get(ctx, name) == held.now) {
      config_set(ctx, name, held.before);
    }
  }
  held_.clear();
  if (std::exchange(rewrite_when_released_, false)) {
    rewrite_config(ctx);
  }
}

bool HeldSettings::any() {
  return std::any_of(all_holders().begin(), all_holders().end(),
                     [](const HeldSettings* holder) { return !holder->held_.empty(); });
}

void HeldSettings::rewrite_config(RedisModuleCtx* ctx) {
  std::vector<std::pair<std::string, std::string>> meanwhile;
  for (HeldSettings* holder : all_holders()) {
    for (const auto& [name, held] : holder->held_) {
      if (config_get(ctx, name) != held.now) {
        continue;
      }
      if (would_lose_bytes(name, held.before)) {
        holder->rewrite_when_released_ = true;
        continue;
      }
      try {
        config_set(ctx, name, held.before);
        meanwhile.emplace_back(name, held.now);
      } catch (const Error&) {
        holder->rewrite_when_released_ = true;  // while the server loads, some cannot be changed
      }
    }
  }
  const auto hold_again = [&] {
    for (const auto& [name, value] : meanwhile) {
      config_set(ctx, name, value);
    }
  };
  try {
    call(ctx, kConfig, {"REWRITE"});
  } catch (...) {
    hold_again();
    throw;
  }
  hold_again();
}

}  // namespace rdmasync::redis

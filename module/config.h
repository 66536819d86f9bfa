#pragma once

#include <string>

#include "module/redis/api.h"

namespace rdmasync {

/// The directives `rdmasync.*`, as they are now. Main thread only: threads take copies.
struct Config {
  std::string fabric;  ///< "auto" or a fabric's name
  std::string bind;
  std::string slaveof;
  long long export_memory = 0;     ///< bytes
  long long direct_threshold = 0;  ///< bytes
  long long part_elements = 0;
  long long pinned_memory = 0;  ///< bytes
  long long slice_us = 0;
  long long replica_timeout_s = 0;
  long long join_window_ms = 0;
  long long max_rounds = 0;
  long long cut_max_ms = 0;
  bool accelerate = true;
  bool keep_old_data = true;
  bool huge_pages = true;
  bool debug = false;
};

const Config& config();

/// rdmasync.slaveof is not to be obeyed any more, also after CONFIG REWRITE and a restart: somebody
/// has turned this server elsewhere.
void forget_slaveof();

/// Registers the directives; false, with the reason in the log, if one cannot be. In OnLoad.
/// redis.conf and the loadmodule line are applied when it returns.
bool register_configs(RedisModuleCtx* ctx, RedisModuleString** argv, int argc);

}  // namespace rdmasync

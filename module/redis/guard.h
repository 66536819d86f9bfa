#pragma once

#include <exception>
#include <string>

#include "module/redis/api.h"
#include "module/redis/log.h"
#include "rdmasync/error.h"

/// The boundary: no exception passes from the module into the server.
namespace rdmasync::redis {

/// Runs a command's body; an exception becomes its error reply.
template <typename Body>
int reply_guard(RedisModuleCtx* ctx, Body&& body) noexcept {
  try {
    body();
  } catch (const Error& error) {
    const char* word = error.code() == Errc::kBusy ? "BUSY " : "ERR ";
    ReplyWithError(ctx, (word + std::string(error.what())).c_str());
  } catch (const std::exception& error) {
    ReplyWithError(ctx, ("ERR " + std::string(error.what())).c_str());
  }
  return kOk;
}

/// Runs an event's body; an exception becomes a warning in the log.
template <typename Body>
void event_guard(const char* what, Body&& body) noexcept {
  try {
    body();
  } catch (const std::exception& error) {
    log_warning(std::string(what) + ": " + error.what());
  }
}

}  // namespace rdmasync::redis

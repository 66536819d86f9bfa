#pragma once

#include "module/redis/held_settings.h"

namespace rdmasync::replica {

/// Empties this server in the moment before it loads a stub whose dataset comes while it is loaded:
/// that goes only into an empty server, and nothing may be written between. Main thread only.
class Emptying {
 public:
  /// `settings`: that are held for loads of stubs; they outlive this.
  explicit Emptying(redis::HeldSettings& settings) : settings_(settings) {}

  /// From now on a full sync is for an empty server; until release(). `holder`: of the settings.
  void hold(redis::HeldSettings::Client holder);
  void release();

  // Server events.
  void before_sleep();
  void loading_began();

  /// How the server loads without a file: what is there stays until the load is over, or must be
  /// gone when it begins.
  static constexpr const char* kSetting = "repl-diskless-load";
  static constexpr const char* kBeside = "swapdb";
  static constexpr const char* kIntoEmpty = "on-empty-db";

 private:
  redis::HeldSettings& settings_;
  redis::HeldSettings::Client holder_ = 0;
  bool held_ = false;
  bool emptied_ = false;
};

}  // namespace rdmasync::replica

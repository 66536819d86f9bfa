#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace rdmasync::replica {

enum class State {
  kIdle,
  kConnecting,
  kWaiting,
  kAttaching,
  kPulling,
  kCutting,
  kLoading,
  kContinuing,
  kSynced,
  kFailed,
};
inline constexpr std::size_t kStates = 10;

/// As RDMASYNC.STATUS spells it.
std::string_view name_of(State state);

/// How syncs of this server have ended since it started. Any thread.
class SyncTotals {
 public:
  std::atomic<std::uint64_t> ok = 0;
  std::atomic<std::uint64_t> failed = 0;

  /// One was left to the server, which makes its own.
  void leave(const std::string& reason) {
    const std::lock_guard lock(mutex_);
    left_reason_ = reason;
  }
  /// Why the last of these was; empty: there was none.
  std::string last_left() const {
    const std::lock_guard lock(mutex_);
    return left_reason_;
  }

 private:
  mutable std::mutex mutex_;
  std::string left_reason_;
};

/// What one sync tells of itself. Written by its thread, read by the main thread.
class SyncStatus {
 public:
  explicit SyncStatus(SyncTotals& totals) : totals_(totals) {}

  void begin(const std::string& host, int port);
  void enter(State state);
  void fail(const std::string& reason);
  /// It will be the server's own.
  void leave(const std::string& reason) { totals_.leave(reason); }
  void set_fabric(const std::string& name);

  /// What a cut has cost the master.
  struct CutCost {
    std::int64_t keys = 0;  ///< copied in it
    std::int64_t us = 0;    ///< of its main thread
    bool forced = false;    ///< rounds did not converge
  };
  void set_cut(const CutCost& cost);

  State state() const { return state_.load(); }

  struct Text {
    std::string host;
    int port = 0;
    std::string fabric;
    std::string last_error;
    std::array<double, kStates> phase_ms{};
    double total_ms = 0;
    CutCost cut;
  };
  Text text() const;

  /// The whole time of the sync and its parts, for a line in the log.
  std::string figures() const;

  // Of the present attempt, or of the last one.
  std::atomic<std::uint64_t> total_bytes = 0;  ///< an estimate until the scan is over
  std::atomic<std::uint64_t> read_bytes = 0;
  std::atomic<std::uint64_t> keys = 0;
  std::atomic<std::uint64_t> rounds = 0;

 private:
  using Clock = std::chrono::steady_clock;
  void close_phase(Clock::time_point now);

  SyncTotals& totals_;
  std::atomic<State> state_ = State::kIdle;
  mutable std::mutex mutex_;
  Text text_;
  Clock::time_point began_{};
  Clock::time_point entered_{};
};

}  // namespace rdmasync::replica

#include "module/replica/sync_status.h"

#include <fmt/format.h>

namespace rdmasync::replica {

namespace {

constexpr std::array<std::string_view, kStates> kNames = {
    "idle",    "connecting", "waiting",    "attaching", "pulling",
    "cutting", "loading",    "continuing", "synced",    "failed"};

double ms_between(std::chrono::steady_clock::time_point from,
                  std::chrono::steady_clock::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

}  // namespace

std::string_view name_of(State state) {
  return kNames.at(static_cast<std::size_t>(state));
}

void SyncStatus::begin(const std::string& host, int port) {
  const std::lock_guard lock(mutex_);
  text_.host = host;
  text_.port = port;
  text_.fabric.clear();
  text_.phase_ms.fill(0);
  text_.total_ms = 0;
  text_.cut = {};
  began_ = entered_ = Clock::now();
  total_bytes = read_bytes = keys = rounds = 0;
  state_ = State::kConnecting;
}

void SyncStatus::close_phase(Clock::time_point now) {
  text_.phase_ms.at(static_cast<std::size_t>(state_.load())) += ms_between(entered_, now);
  entered_ = now;
}

void SyncStatus::enter(State state) {
  const std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  close_phase(now);
  if (state == State::kSynced) {
    text_.total_ms = ms_between(began_, now);
    text_.last_error.clear();
    ++totals_.ok;
  }
  state_ = state;
}

void SyncStatus::fail(const std::string& reason) {
  const std::lock_guard lock(mutex_);
  close_phase(Clock::now());
  text_.last_error = reason;
  ++totals_.failed;
  state_ = State::kFailed;
}

void SyncStatus::set_fabric(const std::string& name) {
  const std::lock_guard lock(mutex_);
  text_.fabric = name;
}

void SyncStatus::set_cut(const CutCost& cost) {
  const std::lock_guard lock(mutex_);
  text_.cut = cost;
}

std::string SyncStatus::figures() const {
  const Text now = text();
  std::string line = fmt::format("{:.1f} ms", now.total_ms);
  for (std::size_t i = 0; i < kStates; ++i) {
    if (now.phase_ms.at(i) == 0) {
      continue;
    }
    line += fmt::format(", {} {:.1f}", name_of(static_cast<State>(i)), now.phase_ms.at(i));
  }
  return line;
}

SyncStatus::Text SyncStatus::text() const {
  const std::lock_guard lock(mutex_);
  return text_;
}

}  // namespace rdmasync::replica

#include "module/master/scan.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "module/redis/key_meta.h"
#include "module/unix_time.h"

namespace rdmasync::master {

namespace {

// A key this close to its end may expire between two looks at it; it is left to a round.
constexpr std::int64_t kAboutToExpireMs = 1000;

// What a step may take before the clock is looked at again: some tens of microseconds.
constexpr std::size_t kBuckets = 32;
constexpr std::size_t kShortStrings = 32;

}  // namespace

Scan::Scan(Capture& capture, Parts& parts, DirtyKeys& dirty, std::uint32_t databases)
    : capture_(capture), parts_(parts), dirty_(dirty), passes_(databases) {
  for (Pass& pass : passes_) {
    pass.cursor.reset(redis::ScanCursorCreate());
  }
}

void Scan::restart() {
  for (Pass& pass : passes_) {
    pass = {redis::ScanCursor(redis::ScanCursorCreate()), false};
  }
}

bool Scan::done() const {
  return std::all_of(passes_.begin(), passes_.end(), [](const Pass& pass) { return pass.done; });
}

bool Scan::step() {
  const auto pass =
      std::find_if(passes_.begin(), passes_.end(), [](const Pass& p) { return !p.done; });
  if (pass == passes_.end()) {
    return false;
  }
  db_ = static_cast<std::uint32_t>(pass - passes_.begin());
  now_ms_ = unix_time_ms();
  step_is_full_ = false;
  for (std::size_t bucket = 0; bucket < kBuckets && !pass->done && !step_is_full_; ++bucket) {
    next_bucket(*pass);
  }
  capture_.publish_short_strings(db_);
  return true;
}

void Scan::next_bucket(Pass& pass) {
  const auto on_key = [](RedisModuleCtx*, RedisModuleString* name, RedisModuleKey* key,
                         void* data) {
    auto* self = static_cast<Scan*>(data);
    try {
      if (!self->failure_) {
        self->visit(name, key);
      }
    } catch (...) {
      self->failure_ = std::current_exception();  // not through the server's frames
    }
  };
  pass.done = redis::Scan(capture_.select(db_), pass.cursor.get(), on_key, this) == 0;
  if (failure_) {
    std::rethrow_exception(std::exchange(failure_, nullptr));
  }
}

void Scan::visit(RedisModuleString* name, RedisModuleKey* key) {
  ++seen_;
  parts_.forget(db_, redis::view(name));
  const std::int64_t expire_at = redis::expiry_of(key);
  if (expire_at != log_format::kNoExpiry && expire_at - now_ms_ < kAboutToExpireMs) {
    dirty_.mark(db_, redis::view(name));
    return;
  }
  if (parts_.add(db_, redis::view(name), key)) {
    dirty_.unmark(db_, redis::view(name));
    step_is_full_ = true;
    return;
  }
  const auto outcome = capture_.capture_scanned(db_, name, key);
  if (outcome == Capture::Outcome::kHidden) {
    dirty_.hide({db_, std::string(redis::view(name))});
  }
  if (outcome != Capture::Outcome::kWaits || capture_.short_strings() >= kShortStrings) {
    step_is_full_ = true;
  }
}

void Scan::swap(std::uint32_t a, std::uint32_t b) {
  std::swap(passes_.at(a), passes_.at(b));
}

}  // namespace rdmasync::master

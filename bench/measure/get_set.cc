#include "bench/measure/get_set.h"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rdmasync::bench {
namespace {

using Keys = std::span<redisReply* const>;

}  // namespace

GetSet::GetSet(Ends ends, bool pipelined) : ends_(std::move(ends)), pipelined_(pipelined) {}

GetSet::~GetSet() {
  stopping_ = true;
  if (thread_.joinable()) {
    thread_.join();
  }
}

void GetSet::start() {
  thread_ = std::thread([this] { run(); });
}

Stage GetSet::poll() {
  const bool done = done_;
  if (done && error_) {
    std::rethrow_exception(error_);
  }
  const double share =
      static_cast<double>(copied_) / static_cast<double>(std::max(keys_.load(), 1UL));
  return {"copying", share, bytes_, done};
}

void GetSet::run() {
  try {
    ends_.move_to_replica();
    Client from(ends_.master_address, ends_.master_port);
    Client into = ends_.replica();
    copy_all(from, into);
  } catch (...) {
    error_ = std::current_exception();
  }
  done_ = true;
}

std::uint64_t GetSet::values_at_once(Client& from) const {
  if (!pipelined_) {
    return 1;
  }
  // Enough to hide the way there and back, little enough for both servers' buffers.
  constexpr double kBytes = 32 << 20;
  constexpr double kMost = 1000;
  const double average =
      from.info("memory").number("used_memory") / static_cast<double>(std::max(keys_.load(), 1UL));
  return static_cast<std::uint64_t>(std::clamp(kBytes / average, 2.0, kMost));
}

void GetSet::copy_all(Client& from, Client& into) {
  keys_ = static_cast<std::uint64_t>(from.must("DBSIZE").number);
  const std::uint64_t most = values_at_once(from);
  const auto ask = [&from](Keys keys) {
    for (const redisReply* key : keys) {
      from.append({"GET", view(*key)});
    }
    from.flush();
  };
  std::string cursor = "0";
  do {
    from.append({"SCAN", cursor, "COUNT", "1000"});
    const RawReply page = from.receive_raw();
    cursor = view(*page->element[0]);
    const Keys keys(page->element[1]->element, page->element[1]->elements);
    Keys asked = keys.first(std::min<std::size_t>(most, keys.size()));
    ask(asked);
    for (std::size_t next = asked.size(); !asked.empty() && !stopping_;) {
      std::vector<RawReply> values;
      values.reserve(asked.size());
      for (std::size_t i = 0; i < asked.size(); ++i) {
        values.push_back(from.receive_raw());
      }
      // The master works on these while the replica takes those.
      const Keys coming = keys.subspan(next, std::min<std::size_t>(most, keys.size() - next));
      if (pipelined_) {
        ask(coming);
      }
      for (std::size_t i = 0; i < asked.size(); ++i) {
        into.append({"SET", view(*asked[i]), view(*values[i])});
        bytes_ += values[i]->len;
      }
      into.drain(asked.size());
      if (!pipelined_) {
        ask(coming);
      }
      copied_ += asked.size();
      next += coming.size();
      asked = coming;
    }
  } while (cursor != "0" && !stopping_);
}

}  // namespace rdmasync::bench

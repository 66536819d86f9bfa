#include "bench/measure/writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace rdmasync::bench {

using Clock = std::chrono::steady_clock;

Writer::Writer(Client client, Dataset dataset, std::uint64_t rate, std::uint64_t large_rate)
    : client_(std::move(client)),
      dataset_(std::move(dataset)),
      rate_(rate),
      large_rate_(large_rate),
      thread_([this] { run(); }) {}

void Writer::stop() {
  finish();
  if (error_) {
    std::rethrow_exception(error_);
  }
}

void Writer::finish() {
  stopping_ = true;
  if (thread_.joinable()) {
    thread_.join();
  }
}

void Writer::run() {
  constexpr auto kTick = std::chrono::milliseconds(2);
  constexpr std::uint64_t kTicks = std::chrono::seconds(1) / kTick;
  try {
    auto next = Clock::now();
    for (std::uint64_t tick = 1; !stopping_; ++tick) {
      // The difference of what is due by now and was due before, so that any rate comes out exact.
      const auto due = [tick](std::uint64_t rate) {
        return rate * tick / kTicks - rate * (tick - 1) / kTicks;
      };
      write_batch(due(rate_), rate_ == 0 ? 0 : due(large_rate_));
      next = std::max(next + kTick, Clock::now());
      std::this_thread::sleep_until(next);
    }
  } catch (...) {
    error_ = std::current_exception();
  }
}

void Writer::write_batch(std::uint64_t commands, std::uint64_t large) {
  std::uint64_t replies = 0;
  for (std::uint64_t i = 0; i < commands; ++i) {
    replies += append_one();
  }
  for (std::uint64_t i = 0; i < large && dataset_.elements > 0; ++i) {
    client_.send(
        put_element(dataset_, random_() % elements_in(dataset_), std::to_string(random_())));
    ++replies;
  }
  for (std::uint64_t i = 0; i < large && dataset_.large_count > 0; ++i) {
    const std::string middle = std::to_string(dataset_.large_bytes / 2);
    client_.append({"SETRANGE", large_key(random_() % dataset_.large_count), middle,
                    fmt::format("{:08}", random_() % 100'000'000)});
    ++replies;
  }
  if (replies == 0) {
    return;
  }
  const auto start = Clock::now();
  client_.drain(replies);
  const auto waited =
      std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start).count();
  longest_wait_us_ = std::max<std::int64_t>(longest_wait_us_, waited);
  writes_ += commands + large;
}

std::uint64_t Writer::append_one() {
  constexpr std::uint64_t kMembers = 1000;
  const std::string number = std::to_string(random_());
  const std::string member = fmt::format("member:{}", random_() % kMembers);
  const std::string key =
      dataset_.small_count == 0 ? "only" : small_key(random_() % dataset_.small_count);
  switch (random_() % 16) {
    case 0:
      client_.append({"HSET", "written:hash", member, number});
      return 1;
    case 1:
      client_.append({"SADD", "written:set", member});
      return 1;
    case 2:
      client_.append({"SREM", "written:set", member});
      return 1;
    case 3:
      client_.append({"ZADD", "written:zset", number, member});
      return 1;
    case 4:
      client_.append({"LPUSH", "written:list", number});
      client_.append({"LTRIM", "written:list", "0", "999"});
      return 2;
    case 5:
      client_.append({"XADD", "written:stream", "MAXLEN", "1000", "*", "field", number});
      return 1;
    case 6:
      client_.append({"MULTI"});
      client_.append({"INCR", "written:counter"});
      client_.append({"SETEX", fmt::format("written:{}", member), "86400", number});
      client_.append({"EXEC"});
      return 4;
    case 7:
      client_.append({"SELECT", "1"});
      client_.append({"SET", member, number});
      client_.append({"SELECT", "0"});
      return 3;
    case 8:
      client_.append({"DEL", key});
      client_.append({"SET", key, number});
      return 2;
    default:
      client_.append({"SET", key, number});
      return 1;
  }
}

}  // namespace rdmasync::bench

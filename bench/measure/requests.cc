#include "bench/measure/requests.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <sys/prctl.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <stdexcept>
#include <string>

#include "bench/measure/statistics.h"

namespace rdmasync::bench {
namespace {

constexpr std::size_t kConnections = 16;
/// Of our own, where the dataset has no small ones.
constexpr std::uint64_t kOwnKeys = 10'000;

void become_real_time() {
  const sched_param priority{.sched_priority = 1};
  pthread_setschedparam(pthread_self(), SCHED_FIFO, &priority);
  prctl(PR_SET_TIMERSLACK, 1UL);
}

}  // namespace

Requests::Requests(std::filesystem::path socket, const Dataset& dataset, std::uint64_t rate)
    : socket_(std::move(socket)), small_count_(dataset.small_count), rate_(rate) {
  if (rate_ > 0) {
    connect();
    thread_ = std::thread([this] { run(); });
  }
}

void Requests::connect() {
  for (std::size_t i = 0; i < kConnections; ++i) {
    Connection connection;
    connection.context.reset(redisConnectUnix(socket_.c_str()));
    if (!connection.context || connection.context->err != 0) {
      throw std::runtime_error("cannot connect to " + socket_.string());
    }
    const int fd = connection.context->fd;
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    connection.context->flags &= ~REDIS_BLOCK;
    connections_.push_back(std::move(connection));
  }
}

void Requests::stop() {
  finish();
  if (error_) {
    std::rethrow_exception(error_);
  }
}

void Requests::finish() {
  stopping_ = true;
  if (thread_.joinable()) {
    thread_.join();
  }
}

bool Requests::idle() const {
  return std::all_of(connections_.begin(), connections_.end(),
                     [](const Connection& connection) { return connection.due.empty(); });
}

void Requests::run() {
  become_real_time();
  try {
    const auto interval = std::chrono::nanoseconds(std::chrono::seconds(1)) / rate_;
    auto next = Clock::now();
    std::size_t turn = 0;
    while (!stopping_ || !idle()) {
      const auto now = Clock::now();
      note_late(next, now);
      for (; next <= now && !stopping_; next += interval) {
        Connection& connection = connections_[turn++ % kConnections];
        append(connection);
        connection.due.push_back(next);
      }
      exchange(next);
    }
  } catch (...) {
    error_ = std::current_exception();
  }
}

void Requests::note_late(Clock::time_point due, Clock::time_point now) {
  constexpr auto kByThisMachine = std::chrono::milliseconds(2);
  if (now - due > kByThisMachine) {
    late_.push_back({due, std::chrono::duration<float, std::milli>(now - due).count()});
  }
}

void Requests::append(Connection& connection) {
  static const std::string value(100, 'v');
  const std::uint64_t number = random_();
  const std::string key = small_count_ > 0 ? small_key(number % small_count_)
                                           : fmt::format("client:{}", number % kOwnKeys);
  if (number % 5 == 0) {
    redisAppendCommand(connection.context.get(), "SET %b %b", key.data(), key.size(), value.data(),
                       value.size());
  } else {
    redisAppendCommand(connection.context.get(), "GET %b", key.data(), key.size());
  }
  connection.unsent = true;
}

void Requests::exchange(Clock::time_point next) {
  std::array<pollfd, kConnections> ready{};
  for (std::size_t i = 0; i < kConnections; ++i) {
    Connection& connection = connections_[i];
    int done = 1;
    if (connection.unsent && redisBufferWrite(connection.context.get(), &done) != REDIS_OK) {
      throw std::runtime_error("a client's connection was lost while sending");
    }
    connection.unsent = done == 0;
    ready.at(i) = {connection.context->fd,
                   static_cast<short>(connection.unsent ? POLLIN | POLLOUT : POLLIN), 0};
  }
  const auto left =
      std::max(std::chrono::nanoseconds(next - Clock::now()), std::chrono::nanoseconds(0));
  const timespec timeout{static_cast<time_t>(left.count() / 1'000'000'000),
                         static_cast<long>(left.count() % 1'000'000'000)};
  if (ppoll(ready.data(), ready.size(), &timeout, nullptr) <= 0) {
    return;
  }
  for (std::size_t i = 0; i < kConnections; ++i) {
    if ((ready.at(i).revents & ~POLLOUT) != 0) {
      take_replies(connections_[i]);
    }
  }
}

void Requests::take_replies(Connection& connection) {
  if (redisBufferRead(connection.context.get()) != REDIS_OK) {
    throw std::runtime_error("a client's connection was lost");
  }
  const auto now = Clock::now();
  void* reply = nullptr;
  while (redisGetReplyFromReader(connection.context.get(), &reply) == REDIS_OK &&
         reply != nullptr) {
    const RawReply owned(static_cast<redisReply*>(reply));
    if (owned->type == REDIS_REPLY_ERROR) {
      throw std::runtime_error("the master told a client: " + std::string(owned->str, owned->len));
    }
    const auto due = connection.due.front();
    connection.due.pop_front();
    samples_.push_back({due, std::chrono::duration<float, std::milli>(now - due).count()});
  }
}

Latency Requests::latency(Clock::time_point from, Clock::time_point to) const {
  std::vector<float> latencies;
  std::uint64_t answered = 0;
  for (const Sample& sample : samples_) {
    const bool is_due = from <= sample.due && sample.due < to;
    const auto at = sample.due + std::chrono::duration_cast<Clock::duration>(
                                     std::chrono::duration<float, std::milli>(sample.latency_ms));
    answered += from <= at && at < to ? 1 : 0;
    if (is_due) {
      latencies.push_back(sample.latency_ms);
    }
  }
  const double seconds = std::chrono::duration<double>(to - from).count();
  const double offered = static_cast<double>(latencies.size()) / seconds;
  const Percentiles percentiles(std::move(latencies));
  return {percentiles.at(0.5),
          percentiles.at(0.99),
          percentiles.at(0.999),
          percentiles.at(1),
          offered,
          static_cast<double>(answered) / seconds};
}

double Requests::kept_waiting_ms(Clock::time_point from, Clock::time_point to) const {
  double sum = 0;
  for (const Sample& sample : late_) {
    sum += from <= sample.due && sample.due < to ? sample.latency_ms : 0;
  }
  return sum;
}

std::vector<LatencySlot> Requests::slots(Clock::time_point from, Clock::time_point to,
                                         Clock::time_point zero, Clock::duration slot) const {
  std::vector<LatencySlot> slots;
  for (auto begin = from; begin < to; begin += slot) {
    const Latency latency = this->latency(begin, begin + slot);
    slots.push_back({std::chrono::duration<double, std::milli>(begin - zero).count(), latency.p99,
                     latency.most});
  }
  return slots;
}

}  // namespace rdmasync::bench

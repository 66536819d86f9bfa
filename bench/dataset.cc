#include "bench/dataset.h"

#include <fmt/format.h>

#include <cstring>
#include <future>
#include <random>
#include <string_view>

#include "bench/client.h"
#include "bench/process.h"

namespace rdmasync::bench {
namespace {

using Random = std::mt19937_64;
constexpr std::uint64_t kSeed = 20;

void randomize(std::string& bytes, Random& random) {
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint64_t)) {
    const std::uint64_t word = random();
    std::memcpy(&bytes[at], &word, std::min(sizeof(word), bytes.size() - at));
  }
}

void fill_large(Client& client, const Options& options, Random& random) {
  std::string value(options.large_bytes, '\0');
  for (std::uint64_t i = 0; i < options.large_count; ++i) {
    throw_if_interrupted();
    randomize(value, random);
    client.append({"SET", large_key(i), value});
    client.drain(1);
  }
}

void fill_small(Client& client, const Options& options, Random& random) {
  constexpr std::uint64_t kBatch = 1000;
  std::uint64_t pending = 0;
  for (std::uint64_t i = 0; i < options.small_count; ++i) {
    const std::string value = i % 4 == 0 ? std::to_string(random() >> 20U)
                                         : fmt::format("value {} of key {}", random(), i);
    client.append({"SET", small_key(i), value});
    if (++pending == kBatch) {
      throw_if_interrupted();
      client.drain(pending);
      pending = 0;
    }
  }
  client.drain(pending);
}

/// Both of each type's encodings: the compact one, and the one for many or long members.
void fill_aggregates(Client& client, Random& random) {
  constexpr std::uint64_t kCompact = 20;
  constexpr std::uint64_t kMany = 2000;
  for (const auto& [size, members] : {std::pair{"small", kCompact}, std::pair{"big", kMany}}) {
    for (std::uint64_t i = 0; i < members; ++i) {
      const std::string member = fmt::format("member:{}", i);
      const std::string number = std::to_string(random() % 1'000'000);
      client.append({"RPUSH", fmt::format("list:{}", size), member});
      client.append({"HSET", fmt::format("hash:{}", size), member, number});
      client.append({"SADD", fmt::format("set:{}", size), member});
      client.append({"SADD", fmt::format("intset:{}", size), std::to_string(i)});
      client.append({"ZADD", fmt::format("zset:{}", size), number, member});
      client.append(
          {"XADD", fmt::format("stream:{}", size), fmt::format("{}-1", i + 1), "field", number});
      client.append({"PFADD", fmt::format("hll:{}", size), member});
    }
    client.drain(members * 7);
  }
}

void fill_rest(Client& client) {
  std::uint64_t sent = 0;
  const auto send = [&](Arguments arguments) {
    client.append(arguments);
    ++sent;
  };
  send({"XGROUP", "CREATE", "stream:big", "group", "0"});
  send({"XREADGROUP", "GROUP", "group", "consumer", "COUNT", "50", "STREAMS", "stream:big", ">"});
  send({"XACK", "stream:big", "group", "1-1", "2-1"});
  send({"GEOADD", "geo", "13.361389", "38.115556", "Palermo", "15.087269", "37.502669", "Catania"});
  send({"SETBIT", "bitmap", "100000", "1"});
  send({"SET", "integer", "12345"});
  send({"SET", "embedded", "a short string"});
  send({"SET", "expires", "in a day", "EX", "86400"});
  send({"FUNCTION", "LOAD",
        "#!lua name=demo\nredis.register_function('demo', function() return 1 end)"});
  for (const char* db : {"1", "9"}) {
    send({"SELECT", db});
    send({"SET", "another database", db});
    send({"HSET", "hash", "database", db});
  }
  send({"SELECT", "0"});
  client.drain(sent);
}

}  // namespace

std::string large_key(std::uint64_t number) {
  return fmt::format("large:{}", number);
}
std::string small_key(std::uint64_t number) {
  return fmt::format("small:{}", number);
}

void fill(int port, const Options& options) {
  // Beside each other, to keep the server busy.
  auto large = std::async(std::launch::async, [&] {
    Random random(kSeed);
    Client client(port);
    fill_large(client, options, random);
  });
  Random random(kSeed + 1);
  Client client(port);
  fill_small(client, options, random);
  if (options.all_types) {
    fill_aggregates(client, random);
    fill_rest(client);
  }
  large.get();
}

std::uint64_t estimated_bytes(const Options& options) {
  constexpr std::uint64_t kServer = std::uint64_t{16} << 20U;
  constexpr std::uint64_t kSmallKey = 140;
  return kServer + options.large_count * options.large_bytes + options.small_count * kSmallKey;
}

}  // namespace rdmasync::bench

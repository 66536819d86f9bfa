#include "bench/measure/idle.h"

#include <algorithm>
#include <vector>

#include "bench/measure/cpu.h"
#include "bench/support.h"

namespace rdmasync::bench {
namespace {

/// Nanoseconds for each.
double cost_of_commands(Server& server, Client& client, std::uint64_t commands) {
  constexpr std::uint64_t kBatch = 1000;
  const std::uint64_t batches = std::max<std::uint64_t>(commands / kBatch, 1);
  const CpuTime before = cpu_time(server.pid());
  for (std::uint64_t batch = 0; batch < batches; ++batch) {
    throw_if_interrupted();
    for (std::uint64_t i = 0; i < kBatch; ++i) {
      client.append({"GET", "key"});
    }
    client.drain(kBatch);
  }
  return (cpu_time(server.pid()) - before).main * 1e9 / static_cast<double>(batches * kBatch);
}

}  // namespace

IdleCost measure_idle(const std::string& module, const std::string& program, std::uint64_t commands,
                      std::uint64_t rounds) {
  ServerOptions options{.load_module = false, .load_testtype = false, .program = program};
  Server plain("without", options);
  if (module.empty()) {
    options.load_module = true;
  } else {
    options.config.push_back("loadmodule " + module);
  }
  Server loaded("with", options);
  Client to_plain = plain.connect();
  Client to_loaded = loaded.connect();
  to_plain.must("SET", "key", "value");
  to_loaded.must("SET", "key", "value");
  std::vector<double> without;
  std::vector<double> with;
  std::vector<double> difference;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    without.push_back(cost_of_commands(plain, to_plain, commands));
    with.push_back(cost_of_commands(loaded, to_loaded, commands));
    difference.push_back(with.back() - without.back());
  }
  return {spread_of(without), spread_of(with), spread_of(difference)};
}

}  // namespace rdmasync::bench

#include "bench/run/given_servers.h"

#include <fmt/format.h>

#include <stdexcept>

#include "bench/measure/progress.h"
#include "bench/measure/transfer.h"
#include "bench/support.h"
#include "bench/text.h"

namespace rdmasync::bench {

using Clock = std::chrono::steady_clock;

Address parse_address(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  try {
    if (colon != std::string::npos) {
      return {text.substr(0, colon), std::stoi(text.substr(colon + 1))};
    }
  } catch (const std::logic_error&) {
    // No number: said below.
  }
  throw std::runtime_error("\"" + text + "\" is not HOST:PORT");
}

void fill_given(const Address& server, const Dataset& dataset) {
  Progress progress("filling");
  const auto estimate = static_cast<double>(estimated_bytes(dataset));
  fill([&] { return Client(server.host, server.port); }, dataset,
       [&](std::uint64_t bytes) {
         progress.show(describe(dataset), static_cast<double>(bytes) / estimate, bytes);
       });
}

void sync_given(const Method& method, const Address& master, const Address& replica,
                std::chrono::seconds timeout) {
  const auto connect_replica = [&] { return Client(replica.host, replica.port); };
  const auto transfer = make_transfer(method, {[&] { return Client(master.host, master.port); },
                                               connect_replica, master.host, master.port, [] {}});
  if (transfer->poll().done) {
    throw std::runtime_error("the replica follows that master already; REPLICAOF NO ONE ends it");
  }
  const auto start = Clock::now();
  {
    Progress progress(method.title);
    transfer->start();
    wait_for(timeout, "the sync", [&] {
      const Stage stage = transfer->poll();
      progress.show(stage.phase, stage.share, stage.bytes);
      return stage.done;
    });
  }
  const std::chrono::duration<double, std::milli> took = Clock::now() - start;
  fmt::print("{}: {}\n", method.title, time_text(took.count()));
  if (method.kind == Method::Kind::kRdmasync) {
    for (const Part& part : rdmasync_parts(connect_replica().status())) {
      fmt::print("  {:<10} {:>9}\n", part.name, time_text(part.ms));
    }
  }
}

}  // namespace rdmasync::bench

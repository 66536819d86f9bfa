#include "tests/commands/writers.h"

#include "tests/commands/payloads.h"
#include "tests/commands/units.h"

namespace rdmasync::test {

Writers::Writers(Server& server, std::uint64_t seed, int mixers, int followers)
    : elsewhere_("elsewhere", ServerOptions{.load_module = false}) {
  constexpr std::uint64_t kSeedsPerRun = 100;
  constexpr int kBatch = 24;
  constexpr int kWaiters = 2;
  constexpr int kKeysPerType = 20;
  repertoire_.limit_to(server);
  playground_.payloads = make_payloads(elsewhere_, repertoire_, true);
  playground_.payloads.script = server.must("SCRIPT", "LOAD", run_all_script).text;
  playground_.keys_per_type = kKeysPerType;
  server.must("FUNCTION", "LOAD", "REPLACE", run_all_library);
  seed *= kSeedsPerRun;
  for (int i = 0; i < mixers; i++) {
    crowd_.add(mixer(server, repertoire_, playground_, ++seed, kBatch, followers));
  }
  for (int i = 0; i < kWaiters; i++) {
    crowd_.add(waiter(server, repertoire_, playground_, ++seed));
  }
}

}  // namespace rdmasync::test

#include "tests/commands/payloads.h"

#include <string>

namespace rdmasync::test {

Payloads make_payloads(Server& elsewhere, const Repertoire& repertoire, bool short_lives) {
  Payloads payloads;
  payloads.elsewhere = elsewhere.port();
  Playground playground;
  playground.short_lives = short_lives;
  playground.payloads.values = {""};  // RESTORE fails for now
  Dice dice(1, playground);
  Client client = elsewhere.connect();
  constexpr int kCommands = 1500;
  for (int i = 0; i < kCommands; i++) {
    client.run(repertoire.any(dice));
  }
  for (const Reply& key : client.must("KEYS", "*").elements) {
    if (const Reply dump = client.must("DUMP", key.text); !dump.is_nil()) {
      payloads.values.push_back(dump.text);
    }
  }
  for (const char* name : {"lib0", "kept"}) {
    client.must("FUNCTION", "LOAD",
                std::string("#!lua name=") + name + "\nredis.register_function('" + name +
                    "', function(keys, args) return 'restored' end)");
  }
  payloads.functions = client.must("FUNCTION", "DUMP").text;
  return payloads;
}

}  // namespace rdmasync::test

#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "table.h"
#include "tests/commands/dice.h"
#include "tests/commands/repertoire.h"
#include "tests/support/server.h"

namespace rdmasync::test {

/// Runs every write command of one server many times, and compares what it has changed with the
/// notifications that a module has heard meanwhile. The module under test is not in it.
class Measurement {
 public:
  /// `changes`: so many are to be seen of each command.
  explicit Measurement(int changes);

  /// As the files of tables are named: "redis-7.0.15".
  const std::string& server_name() const { return server_name_; }
  Table run();

 private:
  using Place = std::pair<int, std::string>;        ///< database and key
  using Dataset = std::map<Place, std::string>;     ///< all that is told of a key
  using Heard = std::map<Place, std::vector<int>>;  ///< classes of notifications

  void measure(const std::vector<Recipe>& recipes, Told& told);
  void add_keys(const std::string& type);
  void disturb();
  void send(const Command& command, bool blocks);
  void serve(int db, const Command& blocked);
  Dataset dataset(const Command& command);
  Heard heard();

  int changes_;
  Server server_;
  Server elsewhere_;
  Repertoire repertoire_;
  Playground playground_;
  Dice dice_;
  Client client_;
  Client blocking_;
  std::vector<std::string> keys_;
  std::string server_name_;
};

}  // namespace rdmasync::test

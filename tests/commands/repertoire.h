#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/commands/dice.h"
#include "tests/support/server.h"

namespace rdmasync::test {

/// How to make one write command. Errors are part of the game: a key may be absent or of another
/// type, a group unknown.
struct Recipe {
  const char* name;  ///< as COMMAND has it: "xgroup|create"
  Command (*make)(Dice& dice);
  int weight = 10;
  /// Blocks until served, or for a moment: for connections of their own.
  bool blocks = false;
};

std::span<const Recipe> string_recipes();
std::span<const Recipe> list_recipes();
std::span<const Recipe> set_and_hash_recipes();
/// Of servers newer than Redis 7.0.
std::span<const Recipe> hash_field_recipes();
std::span<const Recipe> sorted_set_recipes();
std::span<const Recipe> stream_recipes();
std::span<const Recipe> keyspace_recipes();
/// No part of a repertoire.
std::span<const Recipe> vector_recipes();
/// For a database that may be flushed.
std::span<const Recipe> rare_recipes();

std::vector<Recipe> every_recipe();

/// As a server says.
struct WriteCommand {
  std::string name;
  bool takes_keys;
};
/// All of that server, subcommands too.
std::vector<WriteCommand> write_commands(Server& server);

/// Every command that writes.
class Repertoire {
 public:
  Repertoire();

  /// Draws no more what the server does not have: one unknown command in a transaction makes EXEC
  /// discard all of it.
  void limit_to(Server& server);

  /// Any that does not block, by weight.
  Command any(Dice& dice) const { return draw(plain_, dice); }
  Command blocking(Dice& dice) const { return draw(blocking_, dice); }
  Command rare(Dice& dice) const { return draw(rare_, dice); }
  /// One that changes a key without any keyspace notification.
  Command silent(Dice& dice) const { return draw(silent_, dice); }

  /// The server's write commands for which there is no recipe and no reason why not.
  std::vector<std::string> forgotten(Server& server) const;

 private:
  struct Choice {
    std::vector<const Recipe*> by_weight;
    void add(const Recipe& recipe);
    void limit_to(const std::vector<std::string>& names);
  };
  static Command draw(const Choice& choice, Dice& dice);

  Choice plain_;
  Choice blocking_;
  Choice rare_;
  Choice silent_;
  std::vector<std::string_view> names_;
};

}  // namespace rdmasync::test

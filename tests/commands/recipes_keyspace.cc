#include <array>

#include "tests/commands/repertoire.h"

namespace rdmasync::test {
namespace {

Command pair(Dice& d, const char* name) {
  const std::string type = d.any_type();
  return {name, d.key(type.c_str()), d.key(type.c_str())};
}

Command expire(Dice& d, const char* name, std::string when) {
  Command command = {name, d.any_key(), std::move(when)};
  if (d.one_in(5)) {
    command.emplace_back(d.pick({"NX", "XX", "GT", "LT"}));
  }
  return command;
}

Command copy(Dice& d) {
  Command command = pair(d, "COPY");
  if (d.one_in(2)) {
    command.insert(command.end(), {"DB", d.database()});
  }
  command.emplace_back("REPLACE");
  return command;
}

Command restore(Dice& d, const char* name) {
  const auto& values = d.playground().payloads.values;
  const auto& value = values.at(static_cast<std::size_t>(d.below(static_cast<int>(values.size()))));
  return {name, d.any_key(), d.one_in(3) ? d.life_ms() : "0", value, "REPLACE"};
}

/// Not of a set BY something else with ALPHA: the order of equals differs from server to server.
Command sort(Dice& d) {
  const std::string to = d.key("l");
  switch (d.below(3)) {
    case 0:
      return {"SORT", d.key("l"), "ALPHA", "DESC", "STORE", to};
    case 1:
      return {"SORT", d.key("z"), "BY", "nosort", "LIMIT", "0", "30", "STORE", to};
    default:
      return {"SORT", d.key("set"), "ALPHA", "LIMIT", "0", "50", "STORE", to};
  }
}

Command flushall(Dice& d) {
  // Not where some databases must keep what they have.
  if (d.playground().flushable < kDatabases) {
    return {"FLUSHDB", "SYNC"};
  }
  return {"FLUSHALL", d.pick({"SYNC", "ASYNC"})};
}

std::string library(Dice& d) {
  const std::string number = d.number(3);
  return "#!lua name=lib" + number + "\nredis.register_function('lib" + number +
         "', function(keys, args) return " + d.number(1000) + " end)";
}

constexpr std::array kRecipes = {
    Recipe{"copy", copy, 15},
    Recipe{"del",
           [](Dice& d) -> Command {
             return {"DEL", d.any_key(), d.any_key()};
           },
           15},
    Recipe{"unlink",
           [](Dice& d) -> Command {
             return {"UNLINK", d.any_key()};
           },
           15},
    Recipe{"expire",
           [](Dice& d) -> Command {
             return expire(d, "EXPIRE", d.pick({"-1", "900"}));
           }},
    Recipe{"expireat", [](Dice& d) -> Command { return expire(d, "EXPIREAT", "9000000000"); }},
    Recipe{"pexpire", [](Dice& d) -> Command { return expire(d, "PEXPIRE", d.life_ms()); }, 20},
    Recipe{
        "pexpireat",
        [](Dice& d) -> Command { return expire(d, "PEXPIREAT", "900000000000" + d.number(10)); }},
    Recipe{"persist",
           [](Dice& d) -> Command {
             return {"PERSIST", d.any_key()};
           }},
    Recipe{"move",
           [](Dice& d) -> Command {
             return {"MOVE", d.any_key(), d.database()};
           },
           15},
    Recipe{"rename", [](Dice& d) -> Command { return pair(d, "RENAME"); }, 15},
    Recipe{"renamenx", [](Dice& d) -> Command { return pair(d, "RENAMENX"); }},
    Recipe{"restore", [](Dice& d) -> Command { return restore(d, "RESTORE"); }, 8},
    Recipe{"restore-asking", [](Dice& d) -> Command { return restore(d, "RESTORE-ASKING"); }, 2},
    Recipe{"sort", sort},
    Recipe{"migrate",
           [](Dice& d) -> Command {
             return {"MIGRATE",
                     "127.0.0.1",
                     std::to_string(d.playground().payloads.elsewhere),
                     "",
                     d.number(kDatabases),
                     "5000",
                     "REPLACE",
                     "KEYS",
                     d.any_key(),
                     d.any_key()};
           },
           1},
    Recipe{"swapdb",
           [](Dice& d) -> Command {
             return {"SWAPDB", d.flushable_database(), d.flushable_database()};
           },
           2},
};

/// Seldom: they leave little to copy.
constexpr std::array kRareRecipes = {
    Recipe{"flushdb",
           [](Dice& d) -> Command {
             return {"FLUSHDB", d.pick({"SYNC", "ASYNC"})};
           },
           3},
    Recipe{"flushall", flushall, 1},
    Recipe{"function|load",
           [](Dice& d) -> Command {
             return {"FUNCTION", "LOAD", "REPLACE", library(d)};
           },
           20},
    Recipe{"function|delete",
           [](Dice& d) -> Command {
             return {"FUNCTION", "DELETE", "lib" + d.number(3)};
           },
           8},
    Recipe{"function|flush",
           [](Dice& d) -> Command {
             return {"FUNCTION", "FLUSH", d.pick({"SYNC", "ASYNC"})};
           },
           2},
    Recipe{"function|restore",
           [](Dice& d) -> Command {
             return {"FUNCTION", "RESTORE", d.playground().payloads.functions,
                     d.pick({"FLUSH", "REPLACE"})};
           },
           4},
};

}  // namespace

std::span<const Recipe> keyspace_recipes() {
  return kRecipes;
}
std::span<const Recipe> rare_recipes() {
  return kRareRecipes;
}

}  // namespace rdmasync::test

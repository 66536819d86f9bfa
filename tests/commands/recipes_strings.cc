#include <array>

#include "tests/commands/repertoire.h"

namespace rdmasync::test {
namespace {

Command set(Dice& d) {
  Command command = {"SET", d.string_key(), d.value()};
  switch (d.below(8)) {
    case 0:
      command.insert(command.end(), {"PX", d.life_ms()});
      break;
    case 1:
      command.emplace_back("KEEPTTL");
      break;
    case 2:
      command.emplace_back(d.pick({"NX", "XX", "GET"}));
      break;
    case 3:
      command.insert(command.end(), {"PXAT", "900000000000" + d.number(10)});
      break;
    default:
      break;
  }
  return command;
}

Command getex(Dice& d) {
  switch (d.below(4)) {
    case 0:
      return {"GETEX", d.string_key(), "PERSIST"};
    case 1:
      return {"GETEX", d.string_key(), "PXAT", "900000000000" + d.number(10)};
    case 2:
      return {"GETEX", d.string_key()};
    default:
      return {"GETEX", d.string_key(), "PX", d.life_ms()};
  }
}

Command bitfield(Dice& d) {
  return {"BITFIELD",     d.string_key(),
          "INCRBY",       d.pick({"u8", "i5", "u32"}),
          d.number(3000), "3",
          "OVERFLOW",     d.pick({"WRAP", "SAT", "FAIL"}),
          "SET",          "u4",
          "#7",           d.number(16)};
}

/// Many keys at once, so that a round has a lot to do.
Command mset_many(Dice& d) {
  constexpr int kNames = 1500;
  constexpr int kAtOnce = 150;
  Command command = {"MSET"};
  for (int i = 0, first = d.below(kNames); i < kAtOnce; i++) {
    command.push_back("bulk:" + d.playground().slot + std::to_string((first + i) % kNames));
    command.push_back(d.number(1000000));
  }
  return command;
}

constexpr std::array kRecipes = {
    Recipe{"append",
           [](Dice& d) -> Command {
             return {"APPEND", d.string_key(), d.value()};
           }},
    Recipe{"bitfield", bitfield},
    Recipe{"bitop",
           [](Dice& d) -> Command {
             return {"BITOP", d.pick({"AND", "OR", "XOR"}), d.string_key(), d.string_key(),
                     d.string_key()};
           }},
    Recipe{"bitop",
           [](Dice& d) -> Command {
             return {"BITOP", "NOT", d.string_key(), d.string_key()};
           },
           3},
    Recipe{"decr",
           [](Dice& d) -> Command {
             return {"DECR", d.key("n")};
           }},
    Recipe{"decrby",
           [](Dice& d) -> Command {
             return {"DECRBY", d.key("n"), d.number(100)};
           }},
    Recipe{"getdel",
           [](Dice& d) -> Command {
             return {"GETDEL", d.string_key()};
           }},
    Recipe{"getex", getex},
    Recipe{"getset",
           [](Dice& d) -> Command {
             return {"GETSET", d.string_key(), d.value()};
           }},
    Recipe{"incr",
           [](Dice& d) -> Command {
             return {"INCR", d.key("n")};
           }},
    Recipe{"incrby",
           [](Dice& d) -> Command {
             return {"INCRBY", d.key("n"), d.number(99999)};
           }},
    Recipe{"incrbyfloat",
           [](Dice& d) -> Command {
             return {"INCRBYFLOAT", d.key("n"), d.pick({"0.1", "-3", "1e3", "0.333"})};
           }},
    Recipe{"mset",
           [](Dice& d) -> Command {
             return {"MSET",      d.string_key(), d.value(), d.key("n"),
                     d.number(9), d.string_key(), d.value()};
           }},
    Recipe{"mset", mset_many, 12},
    Recipe{"msetnx",
           [](Dice& d) -> Command {
             return {"MSETNX", d.string_key(), d.value(), d.string_key(), d.value()};
           }},
    Recipe{"psetex",
           [](Dice& d) -> Command {
             return {"PSETEX", d.string_key(), d.life_ms(), d.value()};
           }},
    Recipe{"set", set, 40},
    Recipe{"set",
           [](Dice& d) -> Command {
             return {"SET", d.key("big"), d.bytes(d.playground().largest_value)};
           },
           8},
    Recipe{"setbit",
           [](Dice& d) -> Command {
             return {"SETBIT", d.string_key(), d.number(40000), d.number(2)};
           }},
    Recipe{"setex",
           [](Dice& d) -> Command {
             return {"SETEX", d.string_key(), "1000", d.value()};
           }},
    Recipe{"setnx",
           [](Dice& d) -> Command {
             return {"SETNX", d.string_key(), d.value()};
           }},
    Recipe{"setrange",
           [](Dice& d) -> Command {
             return {"SETRANGE", d.string_key(), d.number(9000), d.value()};
           },
           20},
    Recipe{"pfadd",
           [](Dice& d) -> Command {
             return {"PFADD", d.key("hll"), d.bytes(9), d.number(5000), d.number(5000)};
           }},
    Recipe{"pfmerge",
           [](Dice& d) -> Command {
             return {"PFMERGE", d.key("hll"), d.key("hll"), d.key("hll")};
           }},
    Recipe{"pfcount",
           [](Dice& d) -> Command {
             return {"PFCOUNT", d.key("hll")};
           },
           20},
    Recipe{"pfdebug",
           [](Dice& d) -> Command {
             return {"PFDEBUG", d.pick({"TODENSE", "GETREG", "DECODE"}), d.key("hll")};
           },
           3},
    Recipe{"TESTTYPE.SET",
           [](Dice& d) -> Command {
             return {"TESTTYPE.SET", d.key("mod"), d.value()};
           },
           5},
    Recipe{"TESTTYPE.APPEND",
           [](Dice& d) -> Command {
             return {"TESTTYPE.APPEND", d.key("mod"), d.bytes(200)};
           },
           5},
    Recipe{"TESTTYPE.BOX|PUT",
           [](Dice& d) -> Command {
             return {"TESTTYPE.BOX", "PUT", d.key("mod"), d.value()};
           },
           5},
};

}  // namespace

std::span<const Recipe> string_recipes() {
  return kRecipes;
}

}  // namespace rdmasync::test

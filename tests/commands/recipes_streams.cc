#include <array>

#include "tests/commands/repertoire.h"

namespace rdmasync::test {
namespace {

Command xgroup(Dice& d, const char* subcommand) {
  return {"XGROUP", subcommand, d.key("x"), d.group()};
}

Command read_group(Dice& d, bool noack) {
  Command command = {"XREADGROUP", "GROUP", d.group(), d.consumer(), "COUNT", "4"};
  if (noack) {
    command.emplace_back("NOACK");
  }
  command.insert(command.end(), {"STREAMS", d.key("x"), ">"});
  return command;
}

/// Such a consumer is not always replicated: the comparison knows it by its name.
std::string blocking_consumer(Dice& d) {
  return "blocking-" + d.consumer();
}

constexpr std::array kRecipes = {
    // Ids that others can guess: 1-0, 1-1, ...
    Recipe{"xadd",
           [](Dice& d) -> Command {
             return {"XADD", d.key("x"), "1-*", "f", d.bytes(60), "n", d.number(10)};
           },
           40},
    Recipe{"xadd",
           [](Dice& d) -> Command {
             return {"XADD", d.key("x"), "MAXLEN", d.pick({"~", "="}), "10", "1-*", "f", "v"};
           }},
    Recipe{"xadd",
           [](Dice& d) -> Command {
             return {"XADD", d.key("log"), "*", "f", d.value()};
           }},
    Recipe{"xadd",
           [](Dice& d) -> Command {
             return {"XADD", d.key("log"), "MAXLEN", "~", "100", "*", "f", d.bytes(20)};
           },
           5},
    Recipe{"xadd",
           [](Dice& d) -> Command {
             return {"XADD", d.key("log"), d.number(60) + "-" + d.number(3), "own", "id"};
           },
           5},
    Recipe{"xdel",
           [](Dice& d) -> Command {
             return {"XDEL", d.key("x"), d.stream_id(), d.stream_id(), d.stream_id()};
           }},
    Recipe{"xtrim",
           [](Dice& d) -> Command {
             return {"XTRIM", d.key("x"), "MAXLEN", d.pick({"=", "~"}), d.number(12)};
           }},
    Recipe{"xtrim",
           [](Dice& d) -> Command {
             return {"XTRIM", d.key("x"), "MINID", d.stream_id()};
           },
           3},
    Recipe{"xsetid",
           [](Dice& d) -> Command {
             return {"XSETID", d.key("log"), "9999999999999-" + d.number(50)};
           },
           2},
    Recipe{"xgroup|create",
           [](Dice& d) -> Command {
             return {"XGROUP", "CREATE", d.key("x"), d.group(), "0", "MKSTREAM"};
           },
           15},
    Recipe{"xgroup|createconsumer",
           [](Dice& d) -> Command {
             Command command = xgroup(d, "CREATECONSUMER");
             command.push_back(d.consumer());
             return command;
           }},
    Recipe{"xgroup|delconsumer",
           [](Dice& d) -> Command {
             Command command = xgroup(d, "DELCONSUMER");
             command.push_back(d.one_in(3) ? blocking_consumer(d) : d.consumer());
             return command;
           },
           5},
    Recipe{"xgroup|destroy", [](Dice& d) -> Command { return xgroup(d, "DESTROY"); }, 3},
    Recipe{"xgroup|setid",
           [](Dice& d) -> Command {
             Command command = xgroup(d, "SETID");
             command.push_back(d.one_in(3) ? std::string("$") : d.stream_id());
             return command;
           },
           15},
    Recipe{"xreadgroup", [](Dice& d) -> Command { return read_group(d, false); }, 25},
    Recipe{"xreadgroup", [](Dice& d) -> Command { return read_group(d, true); }, 5},
    Recipe{"xack",
           [](Dice& d) -> Command {
             return {"XACK",        d.key("x"),    d.group(),     d.stream_id(),
                     d.stream_id(), d.stream_id(), d.stream_id(), d.stream_id()};
           },
           20},
    Recipe{"xclaim",
           [](Dice& d) -> Command {
             return {"XCLAIM",      d.key("x"),    d.group(), d.consumer(), "0",
                     d.stream_id(), d.stream_id(), "FORCE",   "RETRYCOUNT", d.number(9)};
           },
           20},
    Recipe{"xclaim",
           [](Dice& d) -> Command {
             return {"XCLAIM", d.key("x"), d.group(), d.consumer(), "0", d.stream_id(), "JUSTID"};
           },
           5},
    Recipe{"xautoclaim",
           [](Dice& d) -> Command {
             return {"XAUTOCLAIM", d.key("x"),    d.group(), d.consumer(),
                     "0",          d.stream_id(), "COUNT",   "4"};
           },
           15},
    Recipe{"xreadgroup",
           [](Dice& d) -> Command {
             return {"XREADGROUP", "GROUP",    d.group(), blocking_consumer(d),
                     "COUNT",      "3",        "BLOCK",   d.pick({"2", "10", "50"}),
                     "STREAMS",    d.key("x"), ">"};
           },
           40, true},
};

}  // namespace

std::span<const Recipe> stream_recipes() {
  return kRecipes;
}

}  // namespace rdmasync::test

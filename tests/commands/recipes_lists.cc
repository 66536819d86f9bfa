#include <array>

#include "tests/commands/repertoire.h"

namespace rdmasync::test {
namespace {

/// Short, so that a writer that waits in vain goes on soon.
std::string moment(Dice& d) {
  return d.pick({"0.002", "0.01", "0.05"});
}
std::string side(Dice& d) {
  return d.pick({"LEFT", "RIGHT"});
}

constexpr std::array kRecipes = {
    Recipe{"linsert",
           [](Dice& d) -> Command {
             return {"LINSERT", d.key("l"), d.pick({"BEFORE", "AFTER"}), d.number(20), d.bytes(20)};
           }},
    Recipe{"lmove",
           [](Dice& d) -> Command {
             return {"LMOVE", d.key("l"), d.key("l"), side(d), side(d)};
           }},
    Recipe{"lmpop",
           [](Dice& d) -> Command {
             return {"LMPOP", "2", d.key("l"), d.key("l"), side(d), "COUNT", "3"};
           }},
    Recipe{"lpop",
           [](Dice& d) -> Command {
             return {"LPOP", d.key("l"), d.number(8)};
           },
           15},
    Recipe{"lpush",
           [](Dice& d) -> Command {
             return {"LPUSH", d.key("l"), d.value()};
           }},
    Recipe{"lpushx",
           [](Dice& d) -> Command {
             return {"LPUSHX", d.key("l"), d.number(20), d.bytes(9)};
           }},
    Recipe{"lrem",
           [](Dice& d) -> Command {
             return {"LREM", d.key("l"), d.number(3), d.number(20)};
           }},
    Recipe{"lset",
           [](Dice& d) -> Command {
             return {"LSET", d.key("l"), d.number(6), d.value()};
           }},
    Recipe{"ltrim",
           [](Dice& d) -> Command {
             return {"LTRIM", d.key("l"), "1", d.number(60)};
           }},
    Recipe{"rpop",
           [](Dice& d) -> Command {
             return {"RPOP", d.key("l")};
           }},
    Recipe{"rpoplpush",
           [](Dice& d) -> Command {
             return {"RPOPLPUSH", d.key("l"), d.key("l")};
           }},
    Recipe{"rpush",
           [](Dice& d) -> Command {
             return {"RPUSH", d.key("l"), d.number(20), d.bytes(50), d.number(20), d.value()};
           },
           20},
    Recipe{"rpushx",
           [](Dice& d) -> Command {
             return {"RPUSHX", d.key("l"), d.number(20)};
           }},
    Recipe{"blpop",
           [](Dice& d) -> Command {
             return {"BLPOP", d.key("l"), d.key("l"), moment(d)};
           },
           10, true},
    Recipe{"brpop",
           [](Dice& d) -> Command {
             return {"BRPOP", d.key("l"), d.key("l"), moment(d)};
           },
           10, true},
    Recipe{"blmove",
           [](Dice& d) -> Command {
             return {"BLMOVE", d.key("l"), d.key("l"), side(d), side(d), moment(d)};
           },
           10, true},
    Recipe{"brpoplpush",
           [](Dice& d) -> Command {
             return {"BRPOPLPUSH", d.key("l"), d.key("l"), moment(d)};
           },
           10, true},
    Recipe{"blmpop",
           [](Dice& d) -> Command {
             return {"BLMPOP", moment(d), "2", d.key("l"), d.key("l"), side(d), "COUNT", "2"};
           },
           10, true},
    Recipe{"bzpopmin",
           [](Dice& d) -> Command {
             return {"BZPOPMIN", d.key("z"), d.key("z"), moment(d)};
           },
           10, true},
    Recipe{"bzpopmax",
           [](Dice& d) -> Command {
             return {"BZPOPMAX", d.key("z"), d.key("z"), moment(d)};
           },
           10, true},
    Recipe{"bzmpop",
           [](Dice& d) -> Command {
             return {"BZMPOP", moment(d), "2", d.key("z"), d.key("z"), d.pick({"MIN", "MAX"}),
                     "COUNT",  "2"};
           },
           10, true},
};

}  // namespace

std::span<const Recipe> list_recipes() {
  return kRecipes;
}

}  // namespace rdmasync::test

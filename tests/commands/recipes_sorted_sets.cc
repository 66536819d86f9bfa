#include <array>

#include "tests/commands/repertoire.h"

namespace rdmasync::test {
namespace {

constexpr int kMembers = 300;

std::string longitude(Dice& d) {
  return std::to_string(d.below(340) - 170) + ".5";
}
std::string latitude(Dice& d) {
  return std::to_string(d.below(160) - 80) + ".25";
}

Command fill_sorted_set(Dice& d) {
  Command command = {"ZADD", d.key("z")};
  for (int i = d.below(200); i >= 0; i--) {
    command.push_back(d.number(1000));
    command.push_back(d.number(kMembers));
  }
  return command;
}

constexpr std::array kRecipes = {
    Recipe{"zadd",
           [](Dice& d) -> Command {
             return {"ZADD", d.key("z"), d.number(100), d.number(kMembers), "-1.5", d.bytes(12)};
           },
           15},
    Recipe{"zadd",
           [](Dice& d) -> Command {
             return {"ZADD", d.key("z"), d.pick({"NX", "XX", "GT", "LT", "CH"}), d.number(100),
                     d.number(kMembers)};
           }},
    Recipe{"zadd", fill_sorted_set, 3},
    Recipe{"zdiffstore",
           [](Dice& d) -> Command {
             return {"ZDIFFSTORE", d.key("z"), "2", d.key("z"), d.key("z")};
           },
           3},
    Recipe{"zincrby",
           [](Dice& d) -> Command {
             return {"ZINCRBY", d.key("z"), d.pick({"0.5", "-7", "1e2"}), d.number(kMembers)};
           }},
    Recipe{"zinterstore",
           [](Dice& d) -> Command {
             return {"ZINTERSTORE",
                     d.key("z"),
                     "2",
                     d.key("z"),
                     d.key("set"),
                     "AGGREGATE",
                     d.pick({"SUM", "MIN", "MAX"})};
           },
           3},
    Recipe{"zmpop",
           [](Dice& d) -> Command {
             return {"ZMPOP", "2", d.key("z"), d.key("z"), d.pick({"MIN", "MAX"}), "COUNT", "3"};
           }},
    Recipe{"zpopmax",
           [](Dice& d) -> Command {
             return {"ZPOPMAX", d.key("z"), d.number(4)};
           }},
    Recipe{"zpopmin",
           [](Dice& d) -> Command {
             return {"ZPOPMIN", d.key("z"), d.number(4)};
           }},
    Recipe{"zrangestore",
           [](Dice& d) -> Command {
             return {"ZRANGESTORE", d.key("z"), d.key("z"), "0", d.number(80)};
           }},
    Recipe{"zrem",
           [](Dice& d) -> Command {
             return {"ZREM", d.key("z"), d.number(kMembers), d.number(kMembers)};
           }},
    // All scores are equal there: with others it finds what the skiplist's own dice let it find.
    Recipe{"zremrangebylex",
           [](Dice& d) -> Command {
             return {"ZREMRANGEBYLEX", d.key("lex"), "[5", "[7"};
           },
           3},
    Recipe{"zadd",
           [](Dice& d) -> Command {
             return {"ZADD", d.key("lex"), "0", d.number(kMembers), "0", d.number(kMembers)};
           }},
    Recipe{"zremrangebyrank",
           [](Dice& d) -> Command {
             return {"ZREMRANGEBYRANK", d.key("z"), d.number(20), "30"};
           }},
    Recipe{"zremrangebyscore",
           [](Dice& d) -> Command {
             return {"ZREMRANGEBYSCORE", d.key("z"), d.number(50), "(" + d.number(60)};
           }},
    Recipe{"zunionstore",
           [](Dice& d) -> Command {
             return {"ZUNIONSTORE", d.key("z"), "2", d.key("z"), d.key("z"), "WEIGHTS", "1", "0.5"};
           }},
    Recipe{"geoadd",
           [](Dice& d) -> Command {
             return {"GEOADD", d.key("geo"), longitude(d), latitude(d), d.number(kMembers)};
           },
           15},
    Recipe{"georadius",
           [](Dice& d) -> Command {
             return {"GEORADIUS",
                     d.key("geo"),
                     longitude(d),
                     latitude(d),
                     "5000",
                     "km",
                     d.pick({"STORE", "STOREDIST"}),
                     d.key("geo")};
           },
           5},
    Recipe{"georadiusbymember",
           [](Dice& d) -> Command {
             return {"GEORADIUSBYMEMBER", d.key("geo"), d.number(kMembers), "5000", "km", "STORE",
                     d.key("geo")};
           },
           5},
    Recipe{"geosearchstore",
           [](Dice& d) -> Command {
             return {"GEOSEARCHSTORE", d.key("geo"), d.key("geo"), "FROMLONLAT", longitude(d),
                     latitude(d),      "BYRADIUS",   "9000",       "km"};
           },
           5},
};

}  // namespace

std::span<const Recipe> sorted_set_recipes() {
  return kRecipes;
}

}  // namespace rdmasync::test

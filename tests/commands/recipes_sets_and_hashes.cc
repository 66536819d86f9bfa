#include <array>

#include "tests/commands/repertoire.h"

namespace rdmasync::test {
namespace {

constexpr int kMembers = 300;

Command fill_hash(Dice& d) {
  Command command = {"HSET", d.key("h")};
  for (int i = d.below(200); i >= 0; i--) {
    command.push_back(d.number(kMembers));
    command.push_back(d.bytes(100));
  }
  return command;
}

constexpr std::array kRecipes = {
    Recipe{"sadd",
           [](Dice& d) -> Command {
             return {"SADD", d.key("set"), d.number(kMembers), d.number(kMembers)};
           },
           15},
    Recipe{"sadd",
           [](Dice& d) -> Command {
             return {"SADD", d.key("set"), d.bytes(90), d.bytes(9)};
           }},
    Recipe{"sdiffstore",
           [](Dice& d) -> Command {
             return {"SDIFFSTORE", d.key("set"), d.key("set"), d.key("set")};
           },
           3},
    Recipe{"sinterstore",
           [](Dice& d) -> Command {
             return {"SINTERSTORE", d.key("set"), d.key("set"), d.key("set")};
           },
           3},
    Recipe{"smove",
           [](Dice& d) -> Command {
             return {"SMOVE", d.key("set"), d.key("set"), d.number(kMembers)};
           }},
    Recipe{"spop",
           [](Dice& d) -> Command {
             return {"SPOP", d.key("set"), d.number(12)};
           },
           15},
    Recipe{"spop",
           [](Dice& d) -> Command {
             return {"SPOP", d.key("set")};
           }},
    Recipe{"srem",
           [](Dice& d) -> Command {
             return {"SREM", d.key("set"), d.number(kMembers), d.number(kMembers)};
           }},
    Recipe{"sunionstore",
           [](Dice& d) -> Command {
             return {"SUNIONSTORE", d.key("set"), d.key("set"), d.key("set")};
           }},
    Recipe{"hdel",
           [](Dice& d) -> Command {
             return {"HDEL", d.key("h"), d.number(kMembers), d.number(kMembers)};
           }},
    Recipe{"hincrby",
           [](Dice& d) -> Command {
             return {"HINCRBY", d.key("h"), "counter", d.number(50)};
           }},
    Recipe{"hincrbyfloat",
           [](Dice& d) -> Command {
             return {"HINCRBYFLOAT", d.key("h"), "float", d.pick({"0.1", "-2.5", "1e2"})};
           }},
    Recipe{"hmset",
           [](Dice& d) -> Command {
             return {"HMSET", d.key("h"), d.number(kMembers), d.value()};
           }},
    Recipe{"hset",
           [](Dice& d) -> Command {
             return {"HSET", d.key("h"), d.number(kMembers), d.bytes(90), d.bytes(6), d.number(9)};
           }},
    Recipe{"hset", fill_hash, 3},
    Recipe{"hsetnx",
           [](Dice& d) -> Command {
             return {"HSETNX", d.key("h"), d.number(kMembers), d.bytes(20)};
           }},
};

}  // namespace

std::span<const Recipe> set_and_hash_recipes() {
  return kRecipes;
}

}  // namespace rdmasync::test

#include <array>

#include "tests/commands/repertoire.h"

namespace rdmasync::test {
namespace {

// Of Redis 8.0. Not for the model, which compares digests: each server builds a graph of its own.

std::string element(Dice& d) {
  return "e" + d.number(6);
}

constexpr std::array kRecipes = {
    Recipe{"VADD",
           [](Dice& d) -> Command {
             Command command = {"VADD",      d.key("v"),  "VALUES",  "2",
                                d.number(9), d.number(9), element(d)};
             if (d.one_in(3)) {
               command.insert(command.end(), {"SETATTR", "{}"});
             }
             return command;
           }},
    Recipe{"VREM",
           [](Dice& d) -> Command {
             return {"VREM", d.key("v"), element(d)};
           }},
    Recipe{"VSETATTR",
           [](Dice& d) -> Command {
             return {"VSETATTR", d.key("v"), element(d), "{\"a\":" + d.number(9) + "}"};
           }},
};

}  // namespace

std::span<const Recipe> vector_recipes() {
  return kRecipes;
}

}  // namespace rdmasync::test

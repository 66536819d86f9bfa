#include "tests/commands/repertoire.h"

#include <algorithm>
#include <array>
#include <functional>

namespace rdmasync::test {
namespace {

struct LeftOut {
  const char* name;
  const char* reason;
};

/// Commands with the write flag that no writer sends.
constexpr const char* kGraphs =
    "each server builds a graph of its own from it, and DEBUG DIGEST tells them apart";
constexpr std::array kLeftOut = {
    LeftOut{"TESTTYPE.SCATTER", "a sync does not end while it goes on; a test of its own has it"},
    LeftOut{"cluster|flushslot", "needs cluster mode, which a sync refuses"},
    LeftOut{"VADD", kGraphs},
    LeftOut{"VREM", kGraphs},
    LeftOut{"VSETATTR", kGraphs},
};

constexpr std::array kSilent = {"xack",         "xreadgroup",      "xclaim",
                                "xautoclaim",   "pfcount",         "pfdebug",
                                "TESTTYPE.SET", "TESTTYPE.APPEND", "TESTTYPE.BOX|PUT"};

/// Of commands and subcommands.
void collect(const Reply& commands, const std::function<void(const Reply&)>& take) {
  constexpr std::size_t kSubcommands = 9;
  for (const Reply& command : commands.elements) {
    take(command);
    if (command.elements.size() > kSubcommands) {
      collect(command.elements[kSubcommands], take);
    }
  }
}

bool has_flag(const Reply& command, const char* wanted) {
  constexpr std::size_t kFlags = 2;
  const auto& flags = command.elements.at(kFlags).elements;
  return std::any_of(flags.begin(), flags.end(),
                     [wanted](const Reply& flag) { return flag.text == wanted; });
}

}  // namespace

void Repertoire::Choice::add(const Recipe& recipe) {
  by_weight.insert(by_weight.end(), static_cast<std::size_t>(recipe.weight), &recipe);
}

void Repertoire::Choice::limit_to(const std::vector<std::string>& names) {
  std::erase_if(by_weight, [&](const Recipe* recipe) {
    return std::find(names.begin(), names.end(), recipe->name) == names.end();
  });
}

void Repertoire::limit_to(Server& server) {
  std::vector<std::string> names;
  collect(server.must("COMMAND"),
          [&](const Reply& command) { names.push_back(command.elements.at(0).text); });
  for (Choice* choice : {&plain_, &blocking_, &rare_, &silent_}) {
    choice->limit_to(names);
  }
}

Command Repertoire::draw(const Choice& choice, Dice& dice) {
  const auto& recipes = choice.by_weight;
  return recipes.at(static_cast<std::size_t>(dice.below(static_cast<int>(recipes.size()))))
      ->make(dice);
}

Repertoire::Repertoire() {
  for (const auto recipes :
       {string_recipes(), list_recipes(), set_and_hash_recipes(), hash_field_recipes(),
        sorted_set_recipes(), stream_recipes(), keyspace_recipes()}) {
    for (const Recipe& recipe : recipes) {
      names_.emplace_back(recipe.name);
      (recipe.blocks ? blocking_ : plain_).add(recipe);
      const bool silent = std::find(kSilent.begin(), kSilent.end(), names_.back()) != kSilent.end();
      if (silent && !recipe.blocks) {
        silent_.add(recipe);
      }
    }
  }
  for (const Recipe& recipe : rare_recipes()) {
    names_.emplace_back(recipe.name);
    rare_.add(recipe);
  }
}

std::vector<std::string> Repertoire::forgotten(Server& server) const {
  std::vector<std::string> names;
  for (const WriteCommand& command : write_commands(server)) {
    const std::string& name = command.name;
    const bool known = std::find(names_.begin(), names_.end(), name) != names_.end() ||
                       std::any_of(kLeftOut.begin(), kLeftOut.end(),
                                   [&](const LeftOut& left_out) { return name == left_out.name; });
    if (!known) {
      names.push_back(name);
    }
  }
  return names;
}

std::vector<WriteCommand> write_commands(Server& server) {
  constexpr std::size_t kFirstKey = 3;
  std::vector<WriteCommand> all;
  collect(server.must("COMMAND"), [&](const Reply& command) {
    if (!has_flag(command, "write")) {
      return;
    }
    all.push_back({command.elements.at(0).text,
                   command.elements.at(kFirstKey).number != 0 || has_flag(command, "movablekeys")});
  });
  return all;
}

std::vector<Recipe> every_recipe() {
  std::vector<Recipe> all;
  for (const auto recipes : {string_recipes(), list_recipes(), set_and_hash_recipes(),
                             hash_field_recipes(), sorted_set_recipes(), stream_recipes(),
                             keyspace_recipes(), rare_recipes(), vector_recipes()}) {
    all.insert(all.end(), recipes.begin(), recipes.end());
  }
  return all;
}

}  // namespace rdmasync::test

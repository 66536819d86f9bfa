#include "repertoire.h"

#include <algorithm>
#include <array>

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

bool writes(const Reply& command) {
  constexpr std::size_t kFlags = 2;
  const auto& flags = command.elements.at(kFlags).elements;
  return std::any_of(flags.begin(), flags.end(),
                     [](const Reply& flag) { return flag.text == "write"; });
}

/// Of commands and subcommands; all of them, or those that `wanted` takes.
void collect(const Reply& commands, std::vector<std::string>& names,
             bool (*wanted)(const Reply&) = nullptr) {
  constexpr std::size_t kSubcommands = 9;
  for (const Reply& command : commands.elements) {
    if (wanted == nullptr || wanted(command)) names.push_back(command.elements.at(0).text);
    if (command.elements.size() > kSubcommands) {
      collect(command.elements[kSubcommands], names, wanted);
    }
  }
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
  collect(server.must("COMMAND"), names);
  for (Choice* choice : {&plain_, &blocking_, &rare_, &silent_}) choice->limit_to(names);
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
      if (silent && !recipe.blocks) silent_.add(recipe);
    }
  }
  for (const Recipe& recipe : rare_recipes()) {
    names_.emplace_back(recipe.name);
    rare_.add(recipe);
  }
}

std::vector<std::string> Repertoire::forgotten(Server& server) const {
  std::vector<std::string> names;
  collect(server.must("COMMAND"), names, writes);
  std::erase_if(names, [this](const std::string& name) {
    return std::find(names_.begin(), names_.end(), name) != names_.end() ||
           std::any_of(kLeftOut.begin(), kLeftOut.end(),
                       [&](const LeftOut& left_out) { return name == left_out.name; });
  });
  return names;
}

}  // namespace rdmasync::test

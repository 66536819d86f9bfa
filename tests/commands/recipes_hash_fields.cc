#include <array>

#include "tests/commands/repertoire.h"

namespace rdmasync::test {
namespace {

// Of redis 7.4 and valkey 9, where fields of a hash have lives of their own.

std::string field(Dice& d) {
  return "f" + d.number(Dice::kFields);
}

/// Few hashes in which fields live, so that commands meet there; now and then one of the others.
std::string hash(Dice& d) {
  return d.key(d.one_in(4) ? "h" : "hx");
}

/// One whose fields do not end. A replica of Redis 8.0 that hears of HPERSIST, or HGETEX PERSIST,
/// when the time of the field is over by its own clock lets the field go, whatever the sync was.
std::string lasting_hash(Dice& d) {
  return d.key("hp");
}

Command with_fields(Command command, Dice& d, int count) {
  command.insert(command.end(), {"FIELDS", std::to_string(count)});
  for (int i = 0; i < count; i++) {
    command.push_back(field(d));
  }
  return command;
}

Command with_fields(Command command, Dice& d) {
  return with_fields(std::move(command), d, d.between(1, 3));
}

Command with_values(Command command, Dice& d) {
  const int count = d.between(1, 3);
  command.insert(command.end(), {"FIELDS", std::to_string(count)});
  for (int i = 0; i < count; i++) {
    command.insert(command.end(), {field(d), d.bytes(40)});
  }
  return command;
}

/// One field, or several of a hash whose fields do not end: a master of Valkey 9.1 passes over one
/// that has ended, but names it to its replicas, which revive it, if another one in the command has
/// not.
Command expire(Dice& d, const char* name, std::string when) {
  const bool one = !d.one_in(4);
  Command command = {name, one ? hash(d) : lasting_hash(d),
                     one ? std::move(when) : std::string("9000000000")};
  if (d.one_in(4)) {
    command.emplace_back(d.pick({"NX", "XX", "GT", "LT"}));
  }
  return with_fields(std::move(command), d, one ? 1 : d.between(2, 3));
}

std::string far_ms(Dice& d) {
  return "900000000000" + d.number(10);
}

/// A life, or none, for HSETEX, HGETEX and MSETEX; `without`, if there is one, says none.
void add_life(Command& command, Dice& d, const char* without) {
  switch (d.below(5)) {
    case 0:
      command.insert(command.end(), {"PX", d.life_ms()});
      break;
    case 1:
      command.insert(command.end(), {"PXAT", d.one_in(5) ? std::string("1") : far_ms(d)});
      break;
    case 2:
      command.insert(command.end(), {"EX", "900"});
      break;
    case 3:
      if (without != nullptr) {
        command.emplace_back(without);
      }
      break;
    default:
      break;
  }
}

constexpr std::array kRecipes = {
    Recipe{"hset",
           [](Dice& d) -> Command {
             return {"HSET", hash(d), field(d), d.bytes(60), field(d), d.number(1000)};
           },
           20},
    Recipe{
        "hset",
        [](Dice& d) -> Command { return {"HSET", d.key("hx"), "large", d.value(), field(d), "1"}; },
        3},
    Recipe{"hdel",
           [](Dice& d) -> Command {
             return {"HDEL", hash(d), field(d)};
           },
           5},
    Recipe{"hexpire",
           [](Dice& d) -> Command {
             return expire(d, "HEXPIRE", d.pick({"0", "900"}));
           }},
    Recipe{"hexpireat",
           [](Dice& d) -> Command {
             return expire(d, "HEXPIREAT", d.pick({"1", "9000000000"}));
           },
           5},
    Recipe{"hpexpire", [](Dice& d) -> Command { return expire(d, "HPEXPIRE", d.life_ms()); }, 30},
    Recipe{"hpexpireat", [](Dice& d) -> Command { return expire(d, "HPEXPIREAT", far_ms(d)); }},
    Recipe{"hpersist",
           [](Dice& d) -> Command {
             return with_fields({"HPERSIST", lasting_hash(d)}, d);
           }},
    Recipe{"hpexpireat",
           [](Dice& d) -> Command {
             return with_fields({"HPEXPIREAT", lasting_hash(d), far_ms(d)}, d);
           }},
    Recipe{"hset",
           [](Dice& d) -> Command {
             return {"HSET", lasting_hash(d), field(d), d.bytes(60), field(d), d.bytes(9)};
           }},
    Recipe{"hsetex",
           [](Dice& d) -> Command {
             Command command = {"HSETEX", hash(d)};
             if (d.one_in(4)) {
               command.emplace_back(d.pick({"FNX", "FXX"}));
             }
             add_life(command, d, "KEEPTTL");
             return with_values(std::move(command), d);
           },
           30},
    Recipe{"hgetex",
           [](Dice& d) -> Command {
             if (d.one_in(5)) {
               return with_fields({"HGETEX", lasting_hash(d), "PERSIST"}, d);
             }
             Command command = {"HGETEX", hash(d)};
             add_life(command, d, nullptr);
             return with_fields(std::move(command), d);
           },
           15},
    Recipe{"hgetdel",
           [](Dice& d) -> Command {
             return with_fields({"HGETDEL", hash(d)}, d);
           },
           10},
    Recipe{"msetex",
           [](Dice& d) -> Command {
             Command command = {"MSETEX", "2", d.string_key(), d.value(), d.key("n"), d.number(9)};
             if (d.one_in(4)) {
               command.emplace_back(d.pick({"NX", "XX"}));
             }
             add_life(command, d, "KEEPTTL");
             return command;
           }},
    Recipe{"delifeq",
           [](Dice& d) -> Command {
             return {"DELIFEQ", d.key("n"), d.number(9)};
           }},
    Recipe{"set",
           [](Dice& d) -> Command {
             return {"SET", d.key("n"), d.number(9), "IFEQ", d.number(9)};
           },
           5},
};

}  // namespace

std::span<const Recipe> hash_field_recipes() {
  return kRecipes;
}

}  // namespace rdmasync::test

#include "tests/commands/units.h"

#include <array>
#include <utility>

namespace rdmasync::test {

const char* const run_all_script =
    "local at = 1 "
    "while at <= #ARGV do "
    "  local words = tonumber(ARGV[at]) "
    "  redis.pcall(unpack(ARGV, at + 1, at + words)) "
    "  at = at + words + 1 "
    "end";

const char* const run_all_library =
    "#!lua name=shared\n"
    "redis.register_function('run_all', function(keys, args)\n"
    "  local at = 1\n"
    "  while at <= #args do\n"
    "    local words = tonumber(args[at])\n"
    "    redis.pcall(unpack(args, at + 1, at + words))\n"
    "    at = at + words + 1\n"
    "  end\n"
    "end)";

namespace {

using Setting = std::pair<const char*, std::array<const char*, 3>>;

/// What changes how values are kept and freed. Not what a sync holds itself (repl-backlog-size,
/// repl-diskless-...): it puts its own value back.
constexpr std::array<Setting, 11> kSettings = {{
    {"list-max-listpack-size", {"-2", "4", "-5"}},
    {"list-compress-depth", {"0", "1", "2"}},
    {"hash-max-listpack-entries", {"512", "4", "0"}},
    {"zset-max-listpack-entries", {"128", "4", "0"}},
    {"set-max-intset-entries", {"512", "4", "0"}},
    {"stream-node-max-entries", {"100", "3", "0"}},
    {"lazyfree-lazy-user-del", {"no", "yes", "yes"}},
    {"lazyfree-lazy-user-flush", {"no", "yes", "yes"}},
    {"lazyfree-lazy-expire", {"no", "yes", "yes"}},
    {"maxmemory-policy", {"noeviction", "allkeys-lfu", "volatile-lru"}},
    {"notify-keyspace-events", {"", "KEA", "Kx"}},
}};

Command change_setting(Dice& dice) {
  const auto& [name, values] = kSettings.at(static_cast<std::size_t>(dice.below(kSettings.size())));
  return {"CONFIG", "SET", name, values.at(static_cast<std::size_t>(dice.below(3)))};
}

void append_packed(Command& script, const Command& command) {
  script.push_back(std::to_string(command.size()));
  script.insert(script.end(), command.begin(), command.end());
}

Command script(const Repertoire& repertoire, Dice& dice) {
  Command run;
  switch (dice.below(3)) {
    case 0:
      run = {"EVAL", run_all_script, "0"};
      break;
    case 1:
      run = {"EVALSHA", dice.playground().payloads.script, "0"};
      break;
    default:
      run = {"FCALL", "run_all", "0"};
      break;
  }
  for (int left = dice.between(1, 4); left > 0; left--) {
    if (dice.one_in(4)) {
      append_packed(run, {"SELECT", dice.database()});
    }
    append_packed(run, dice.one_in(3) ? repertoire.silent(dice) : repertoire.any(dice));
  }
  return run;
}

/// In a database that may be flushed.
Unit rare(const Repertoire& repertoire, Dice& dice) {
  Unit unit = {{"SELECT", dice.flushable_database()}};
  if (dice.one_in(3)) {
    unit.insert(
        unit.end(),
        {{"MULTI"}, repertoire.any(dice), repertoire.rare(dice), repertoire.any(dice), {"EXEC"}});
  } else {
    unit.push_back(repertoire.rare(dice));
  }
  if (dice.one_in(3)) {
    unit.push_back({"FUNCTION", "LOAD", "REPLACE", run_all_library});
  }
  return unit;
}

Command transaction_command(const Repertoire& repertoire, Dice& dice) {
  switch (dice.below(10)) {
    case 0:
    case 1:
      return {"SELECT", dice.database()};
    case 2:
    case 3:
    case 4:
      return repertoire.silent(dice);
    case 5:
      return script(repertoire, dice);
    case 6:
      return repertoire.blocking(dice);
    default:
      return repertoire.any(dice);
  }
}

Unit transaction(const Repertoire& repertoire, Dice& dice) {
  Unit unit;
  if (dice.one_in(8)) {
    unit.push_back({"WATCH", dice.any_key()});
  }
  unit.push_back({"MULTI"});
  for (int left = dice.between(1, 6); left > 0; left--) {
    unit.push_back(transaction_command(repertoire, dice));
  }
  unit.push_back({dice.one_in(12) ? "DISCARD" : "EXEC"});
  return unit;
}

}  // namespace

Command held_command(const Repertoire& repertoire, Dice& dice) {
  if (!dice.playground().names.empty()) {
    return repertoire.silent(dice);
  }
  switch (dice.below(6)) {
    case 0:
      return {"SELECT", dice.database()};
    case 1:
      return transaction_command(repertoire, dice);
    default:
      return repertoire.silent(dice);
  }
}

Unit next_unit(const Repertoire& repertoire, Dice& dice) {
  const int kind = dice.below(400);
  if (kind == 0) {
    return {change_setting(dice)};
  }
  if (kind == 1) {
    return rare(repertoire, dice);
  }
  if (kind == 2) {
    return {{"CLIENT", "PAUSE", std::to_string(dice.between(1, 20)), dice.pick({"WRITE", "ALL"})}};
  }
  if (kind < 40) {
    return {{"SELECT", dice.database()}};
  }
  if (kind < 80) {
    return transaction(repertoire, dice);
  }
  if (kind < 110) {
    return {script(repertoire, dice)};
  }
  if (kind < 140) {
    return {repertoire.silent(dice)};
  }
  return {repertoire.any(dice)};
}

}  // namespace rdmasync::test

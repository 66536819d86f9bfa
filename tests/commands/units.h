#pragma once

#include <string>
#include <vector>

#include "tests/commands/dice.h"
#include "tests/commands/repertoire.h"

namespace rdmasync::test {

/// Runs the commands in ARGV, each preceded by the number of its words; errors are theirs.
extern const char* const run_all_script;
/// The same as a function, `run_all`.
extern const char* const run_all_library;

/// What belongs together, sent on one connection.
using Unit = std::vector<Command>;

/// One command, a transaction, a script, a change of database or of settings.
Unit next_unit(const Repertoire& repertoire, Dice& dice);

/// For the inside of a transaction that stays open a while: most often what no notification tells.
Command held_command(const Repertoire& repertoire, Dice& dice);

}  // namespace rdmasync::test

#pragma once

#include "tests/commands/dice.h"
#include "tests/commands/repertoire.h"
#include "tests/support/server.h"

namespace rdmasync::test {

/// All but the script, made on `elsewhere`, which is left with keys. `short_lives`: as of a
/// Playground; fields of their hashes may then end before they are restored.
Payloads make_payloads(Server& elsewhere, const Repertoire& repertoire, bool short_lives);

}  // namespace rdmasync::test

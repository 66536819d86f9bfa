#pragma once

#include "dice.h"
#include "repertoire.h"
#include "tests/support/server.h"

namespace rdmasync::test {

/// All but the script, made on `elsewhere`, which is left with keys.
Payloads make_payloads(Server& elsewhere, const Repertoire& repertoire);

}  // namespace rdmasync::test

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "module/replica/staging.h"

namespace rdmasync::replica {

/// Writes the RDB that hands a staged dataset to the server's own loader: functions and packed
/// entries as they are, then a field of this module with `token`, at which the loader calls back to
/// link the values that are here already, and to
/// restore what is not for the loader. `write` gets it in pieces of any size.
void write_stub_rdb(const Staging& staging, int rdb_version, std::string_view token,
                    const std::function<void(std::string_view)>& write);

}  // namespace rdmasync::replica

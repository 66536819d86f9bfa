#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "module/master/exports.h"
#include "module/redis/api.h"
#include "module/replica/replica.h"

namespace rdmasync {

/// One line of RDMASYNC.STATUS and of INFO.
struct Field {
  const char* name;
  std::variant<std::string, std::int64_t, double> value;
};

/// Everything an operator can ask of this server, in the order in which it is shown.
std::vector<Field> status_fields(const master::Exports& exports, const replica::Replica& replica,
                                 bool is_replica);

void reply_with(RedisModuleCtx* ctx, const std::vector<Field>& fields);
void add_to_info(RedisModuleInfoCtx* ctx, const std::vector<Field>& fields);

}  // namespace rdmasync

#pragma once

#include <string>
#include <string_view>

#include "rdma/fabric.h"

namespace rdmasync {

/// A token as 32 hexadecimal digits, as it crosses TCP. Throws Error(kProtocol) on anything else.
std::string to_text(const rdma::Token& token);
rdma::Token token_from_text(std::string_view text);

}  // namespace rdmasync

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "rdma/fabric.h"

namespace rdmasync {

/// A token as 32 hexadecimal digits, as it crosses TCP; none of any other text.
std::string to_text(const rdma::Token& token);
std::optional<rdma::Token> token_from_text(std::string_view text);

}  // namespace rdmasync

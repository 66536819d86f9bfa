#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "rdma/fabric.h"

namespace rdmasync::rdma {

/// A token as 32 hexadecimal digits, as it crosses TCP and stands in endpoints; none of any other
/// text.
std::string to_text(const Token& token);
std::optional<Token> token_from_text(std::string_view text);

}  // namespace rdmasync::rdma

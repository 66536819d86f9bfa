#pragma once

#include <cstdint>
#include <string>

namespace rdmasync::bench {

std::string bytes_text(std::uint64_t bytes);
std::string time_text(double ms);

}  // namespace rdmasync::bench

#pragma once

#include <filesystem>
#include <vector>

#include "bench/report/results.h"

namespace rdmasync::bench {

/// The report, for people: what was measured, on what, how, and the plots beside it.
void write_markdown(const std::vector<Results>& all, const std::filesystem::path& file);

}  // namespace rdmasync::bench

#pragma once

#include <filesystem>
#include <vector>

#include "bench/report/results.h"

namespace rdmasync::bench {

/// Draws what was measured, each plot as SVG and PNG, into a directory. Needs gnuplot.
void write_plots(const std::vector<Results>& all, const std::filesystem::path& directory);

}  // namespace rdmasync::bench

#pragma once

#include <string>
#include <vector>

#include "bench/measure/outcome.h"
#include "bench/report/selection.h"

namespace rdmasync::bench {

double total_ms(const Outcome& outcome);
double not_serving_ms(const Outcome& outcome);

/// A row of a table in Markdown.
std::string row(const std::vector<std::string>& cells);
/// Its first row, and the line below it: all but the first column to the right.
std::string head(const std::vector<std::string>& cells);

/// "median (least to most)", or the one there is; empty for none.
std::string time_cell(const Selection& runs, const Figure& figure = total_ms);
std::string number_cell(const Spread& numbers, int digits);

}  // namespace rdmasync::bench

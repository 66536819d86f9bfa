#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "bench/measure/statistics.h"
#include "bench/report/results.h"

namespace rdmasync::bench {

/// The runs of one method in an experiment, of all files of results.
using Selection = std::vector<const Run*>;
using Figure = std::function<double(const Outcome&)>;

/// `replicas` 0: whatever their number.
Selection select(const std::vector<Results>& all, const std::string& experiment,
                 const std::string& method, std::uint64_t replicas = 0);
Spread spread(const Selection& runs, const Figure& figure);

/// `figure` of one divided by that of the other, round by round.
Spread ratio(const Selection& runs, const Selection& to, const Figure& figure);

/// Of a raw line, in MB/s by round.
std::vector<const RawLine*> select_raw(const std::vector<Results>& all,
                                       const std::string& experiment, const std::string& name);
Spread spread(const std::vector<const RawLine*>& lines);

/// That have runs of an experiment, in the order in which they are listed everywhere.
std::vector<std::string> methods_in(const std::vector<Results>& all, const std::string& experiment);
/// Numbers of replicas that have runs.
std::vector<std::uint64_t> replicas_in(const std::vector<Results>& all,
                                       const std::string& experiment);
/// How often the experiment was repeated.
std::uint64_t rounds_of(const std::vector<Results>& all, const std::string& experiment);
/// nullptr if there is no run of it.
const Dataset* dataset_of(const std::vector<Results>& all, const std::string& experiment);

}  // namespace rdmasync::bench

#pragma once

#include <filesystem>

#include "bench/plan.h"
#include "bench/sync.h"

namespace rdmasync::bench {

/// Measures every round of an experiment and adds it to the results in `file`, run by run. Those
/// that are there stay, and the rounds go on from them.
void run_experiment(const Experiment& experiment, const Programs& programs,
                    const std::filesystem::path& scratch, const std::filesystem::path& file);

}  // namespace rdmasync::bench

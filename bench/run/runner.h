#pragma once

#include <filesystem>

#include "bench/measure/trial.h"
#include "bench/run/plan.h"

namespace rdmasync::bench {

/// Measures every round of an experiment and writes it to the results in `file`, run by run. Other
/// experiments in there stay, and so do earlier rounds of this one if the new ones are to be
/// `added`.
void run_experiment(const Experiment& experiment, const Programs& programs, bool added,
                    const std::filesystem::path& scratch, const std::filesystem::path& file);

}  // namespace rdmasync::bench

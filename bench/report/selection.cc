#include "bench/report/selection.h"

#include <algorithm>
#include <set>

#include "bench/measure/method.h"

namespace rdmasync::bench {

Selection select(const std::vector<Results>& all, const std::string& experiment,
                 const std::string& method, std::uint64_t replicas) {
  Selection selection;
  for (const Results& results : all) {
    for (const Run& run : results.runs) {
      if (run.experiment == experiment && run.method == method &&
          (replicas == 0 || run.replicas == replicas)) {
        selection.push_back(&run);
      }
    }
  }
  return selection;
}

Spread spread(const Selection& runs, const Figure& figure) {
  std::vector<double> values;
  values.reserve(runs.size());
  for (const Run* run : runs) {
    values.push_back(figure(run->outcome));
  }
  return spread_of(std::move(values));
}

Spread ratio(const Selection& runs, const Selection& to, const Figure& figure) {
  std::vector<double> values;
  for (const Run* run : runs) {
    for (const Run* other : to) {
      if (run->round == other->round && run->replicas == other->replicas &&
          figure(other->outcome) > 0) {
        values.push_back(figure(run->outcome) / figure(other->outcome));
      }
    }
  }
  return spread_of(std::move(values));
}

std::vector<const RawLine*> select_raw(const std::vector<Results>& all,
                                       const std::string& experiment, const std::string& name) {
  std::vector<const RawLine*> selection;
  for (const Results& results : all) {
    for (const RawLine& line : results.raw) {
      if (line.experiment == experiment && line.name == name) {
        selection.push_back(&line);
      }
    }
  }
  return selection;
}

Spread spread(const std::vector<const RawLine*>& lines) {
  std::vector<double> values;
  values.reserve(lines.size());
  for (const RawLine* line : lines) {
    values.push_back(line->mb_per_s);
  }
  return spread_of(std::move(values));
}

std::vector<std::string> methods_in(const std::vector<Results>& all,
                                    const std::string& experiment) {
  std::vector<std::string> methods;
  for (const Method& method : all_methods()) {
    if (!select(all, experiment, method.name).empty()) {
      methods.push_back(method.name);
    }
  }
  return methods;
}

std::vector<std::uint64_t> replicas_in(const std::vector<Results>& all,
                                       const std::string& experiment) {
  std::set<std::uint64_t> replicas;
  for (const Results& results : all) {
    for (const Run& run : results.runs) {
      if (run.experiment == experiment) {
        replicas.insert(run.replicas);
      }
    }
  }
  return {replicas.begin(), replicas.end()};
}

std::uint64_t rounds_of(const std::vector<Results>& all, const std::string& experiment) {
  std::uint64_t rounds = 0;
  for (const Results& results : all) {
    for (const Run& run : results.runs) {
      if (run.experiment == experiment) {
        rounds = std::max(rounds, run.round + 1);
      }
    }
  }
  return rounds;
}

const Dataset* dataset_of(const std::vector<Results>& all, const std::string& experiment) {
  for (const Results& results : all) {
    for (const Run& run : results.runs) {
      if (run.experiment == experiment) {
        return &run.dataset;
      }
    }
  }
  return nullptr;
}

}  // namespace rdmasync::bench

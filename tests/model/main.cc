// Shows that a copy made while writes go on is exact, or that it is not: many runs, each from one
// seed. Usage: rdmasync-model [--seed N] [--seeds N] [--fabric NAME] [--repeat N] [--fault NAME]
//                             [--seconds N] [--way slaveof|replicaof|start|broken|cluster|native]
//                             [--chain yes|no] [--verbose]

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>

#include "harness/sync_test.h"
#include "run.h"
#include "settings.h"
#include "tests/commands/repertoire.h"

namespace rdmasync::test {
namespace {

struct Options {
  std::uint64_t first_seed = 1;
  int seeds = 1;
  int repeat = 1;           ///< of every seed: chance in the servers' timing is not in it
  int seconds = 0;          ///< no new run after so many; 0: as many as there are seeds
  std::string fabric = {};  ///< empty: one after the other
  std::string fault = {};   ///< planted in the module: a difference is what is wanted then
  Settings::Wanted wanted = {};
  bool verbose = false;  ///< says of every run how long it took
};

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; i++) {
    const std::string name = argv[i];
    const auto value = [&]() -> std::string {
      if (++i == argc) {
        throw std::invalid_argument(name + " needs a value");
      }
      return argv[i];
    };
    if (name == "--seed") {
      options.first_seed = std::stoull(value());
    } else if (name == "--seeds") {
      options.seeds = std::stoi(value());
    } else if (name == "--repeat") {
      options.repeat = std::stoi(value());
    } else if (name == "--seconds") {
      options.seconds = std::stoi(value());
    } else if (name == "--fabric") {
      options.fabric = value();
    } else if (name == "--fault") {
      options.fault = value();
    } else if (name == "--verbose") {
      options.verbose = true;
    } else if (name == "--way") {
      options.wanted.way = way_named(value());
    } else if (name == "--chain") {
      options.wanted.chain = value() == "yes";
    } else {
      throw std::invalid_argument("no such option: " + name);
    }
  }
  return options;
}

class Checker {
 public:
  explicit Checker(Options options) : options_(std::move(options)) {}

  int run() {
    if (!options_.fault.empty()) {
      setenv("RDMASYNC_SO", RDMASYNC_TEST_FAULTY_MODULE, 1);
      setenv("RDMASYNC_FAULT", options_.fault.c_str(), 1);
    }
    const auto start = std::chrono::steady_clock::now();
    const auto took = [start] {
      return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    };
    for (int i = 0; i < options_.seeds * options_.repeat && !caught(); i++) {
      if (options_.seconds > 0 && took() > options_.seconds) {
        break;
      }
      run_one(options_.first_seed + static_cast<std::uint64_t>(i / options_.repeat));
    }
    std::cout << runs_ << " runs, " << different_ << " with a difference, " << failed_
              << " failed; " << took() / runs_ << " s each\n";
    if (options_.fault.empty()) {
      return different_ + failed_ == 0 ? 0 : 1;
    }
    std::cout << "fault " << options_.fault << (caught() ? " caught" : " NOT caught") << '\n';
    return caught() ? 0 : 1;
  }

 private:
  bool caught() const { return !options_.fault.empty() && different_ > 0; }

  void run_one(std::uint64_t seed) {
    // Now and then new servers: some things happen only once in the life of one.
    constexpr int kRunsPerStage = 40;
    const bool cluster = options_.wanted.way == Way::kCluster;
    if (!stage_ || runs_ % kRunsPerStage == 0) {
      new_stage(cluster);
    }
    auto names = fabrics();
    if (!has_rdma_device()) {
      std::erase(names, "verbs");
    }
    const std::string fabric =
        options_.fabric.empty() ? names.at(seed % names.size()) : options_.fabric;
    const Settings settings(seed, fabric, options_.wanted);
    const auto start = std::chrono::steady_clock::now();
    const Verdict verdict = run_seed(*stage_, seed, settings);
    runs_++;
    if (options_.verbose) {
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
      std::cout << "seed " << seed << " over " << fabric << ": " << took.count() << " s"
                << verdict.figures << std::endl;
    }
    if (verdict.good()) {
      return;
    }
    report(seed, fabric, settings, verdict);
    stage_.reset();
  }

  void new_stage(bool cluster) {
    stage_ = std::make_unique<Stage>(repertoire_, cluster);
    std::string names;
    for (const std::string& name : repertoire_.forgotten(stage_->master())) {
      names += " " + name;
    }
    if (!names.empty()) {
      throw std::runtime_error("write commands that are neither sent nor left out:" + names);
    }
  }

  void report(std::uint64_t seed, const std::string& fabric, const Settings& settings,
              const Verdict& verdict) {
    (verdict.difference.empty() ? failed_ : different_)++;
    std::cout << "seed " << seed << " over " << fabric << ": "
              << (verdict.difference.empty() ? "FAILED: " + verdict.failure
                                             : "DIFFERENT: " + verdict.difference)
              << "\n  again with: rdmasync-model --seed " << seed << " --fabric " << fabric
              << " --way " << name_of(settings.way) << " --chain "
              << (settings.chain ? "yes" : "no") << " --repeat 20"
              << (options_.fault.empty() ? "" : " --fault " + options_.fault) << "\n  "
              << settings.describe() << '\n';
    if (options_.fault.empty()) {
      std::cout << stage_->logs() << '\n';
    }
    std::cout << std::flush;
  }

  Options options_;
  Repertoire repertoire_;
  std::unique_ptr<Stage> stage_;
  int runs_ = 0;
  int different_ = 0;
  int failed_ = 0;
};

}  // namespace
}  // namespace rdmasync::test

int main(int argc, char** argv) {
  try {
    return rdmasync::test::Checker(rdmasync::test::parse(argc, argv)).run();
  } catch (const std::exception& error) {
    std::cerr << "rdmasync-model: " << error.what() << '\n';
    return 2;
  }
}

// rdmasync-bench: the subcommands and their options.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/measure/idle.h"
#include "bench/measure/machine.h"
#include "bench/measure/network.h"
#include "bench/measure/progress.h"
#include "bench/measure/raw.h"
#include "bench/measure/trial.h"
#include "bench/report/markdown.h"
#include "bench/report/plots.h"
#include "bench/report/results.h"
#include "bench/report/summary.h"
#include "bench/run/dataset_options.h"
#include "bench/run/given_servers.h"
#include "bench/run/plan.h"
#include "bench/run/runner.h"
#include "bench/support.h"

namespace rdmasync::bench {
namespace {

std::vector<std::string> method_names() {
  std::vector<std::string> names;
  for (const Method& method : all_methods()) {
    names.push_back(method.name);
  }
  return names;
}

void add_program_options(CLI::App& app, Programs& programs) {
  app.add_option("--module", programs.module, "the module to load; default: the one built here");
  app.add_option("--redis-server", programs.redis_server, "the server to run")
      ->capture_default_str();
}

CLI::App* add_fill(CLI::App& app) {
  struct Options {
    Address server{"127.0.0.1", 6379};
  };
  CLI::App* command = app.add_subcommand("fill", "Fills a server with a dataset.");
  const auto options = std::make_shared<Options>();
  const auto dataset = std::make_shared<DatasetOptions>(*command);
  command->add_option("--host", options->server.host)->capture_default_str();
  command->add_option("--port", options->server.port)->capture_default_str();
  command->callback([=] { fill_given(options->server, dataset->chosen()); });
  return command;
}

CLI::App* add_sync(CLI::App& app) {
  struct Options {
    std::string method = "rdmasync";
    std::string network = "loopback";
    std::string master;
    std::string replica;
    Scenario scenario;
    Programs programs;
    std::uint64_t runs = 1;
  };
  CLI::App* command = app.add_subcommand(
      "sync", "Times one method: with servers of its own, or from --master to --replica.");
  const auto options = std::make_shared<Options>();
  const auto dataset = std::make_shared<DatasetOptions>(*command);
  command->add_option("--method", options->method)
      ->capture_default_str()
      ->check(CLI::IsMember(method_names()));
  command->add_option("--network", options->network)
      ->capture_default_str()
      ->check(CLI::IsMember(all_networks()));
  command->add_option("--replicas", options->scenario.replicas)->capture_default_str();
  command->add_flag("--serving", options->scenario.serving,
                    "the replicas have a dataset like it, and serve that");
  command->add_option("--write-rate", options->scenario.write_rate, "writes a second meanwhile")
      ->capture_default_str();
  command
      ->add_option("--large-write-rate", options->scenario.large_write_rate,
                   "of these, into large values or the collection")
      ->capture_default_str();
  command
      ->add_option("--request-rate", options->scenario.request_rate,
                   "GETs and SETs a second whose latency is measured")
      ->capture_default_str();
  command->add_option("--runs", options->runs)->capture_default_str();
  auto* master = command->add_option("--master", options->master, "HOST:PORT of a running one");
  auto* replica = command->add_option("--replica", options->replica, "HOST:PORT of a running one");
  master->needs(replica);
  replica->needs(master);
  add_program_options(*command, options->programs);
  command->callback([=] {
    const Method& method = find_method(options->method);
    if (!options->master.empty()) {
      sync_given(method, parse_address(options->master), parse_address(options->replica),
                 options->programs.timeout);
      return;
    }
    options->scenario.dataset = dataset->chosen();
    const Network network(options->network);
    Column column{method.title, {}};
    for (std::uint64_t run = 0; run < options->runs; ++run) {
      column.outcomes.push_back(run_sync(method, options->scenario, network, options->programs));
    }
    if (!print_summary({column})) {
      throw std::runtime_error("the replica differs from the master");
    }
  });
  return command;
}

CLI::App* add_raw(CLI::App& app) {
  struct Options {
    std::string network = "loopback";
    std::vector<std::string> lines;
    std::uint64_t bytes = std::uint64_t{1} << 30U;
  };
  CLI::App* command = app.add_subcommand(
      "raw", "Measures what disk, network, fabric and memory give by themselves.");
  const auto options = std::make_shared<Options>();
  command->add_option("--network", options->network)
      ->capture_default_str()
      ->check(CLI::IsMember(all_networks()));
  command->add_option("--line", options->lines, "such as \"disk write\"; default: all");
  command->add_option("--size", options->bytes, "bytes to move")
      ->transform(CLI::AsSizeValue(false))
      ->capture_default_str();
  command->callback([=] {
    const Network network(options->network);
    const Scratch scratch;
    for (const std::string& name :
         options->lines.empty() ? raw_names(options->network) : options->lines) {
      fmt::print("{:<20} {:>8.0f} MB/s\n", name,
                 measure_raw(name, network, options->bytes, scratch.path()));
      std::fflush(stdout);
    }
  });
  return command;
}

CLI::App* add_idle(CLI::App& app) {
  struct Options {
    std::uint64_t commands = 2'000'000;
    std::uint64_t rounds = 9;
    Programs programs;
  };
  CLI::App* command = app.add_subcommand(
      "idle", "Measures what the module costs each command of a server that makes no sync.");
  const auto options = std::make_shared<Options>();
  command->add_option("--commands", options->commands, "of each server, in each round")
      ->capture_default_str();
  command->add_option("--rounds", options->rounds)->capture_default_str();
  add_program_options(*command, options->programs);
  command->callback([=] {
    const IdleCost cost = measure_idle(options->programs.module, options->programs.redis_server,
                                       options->commands, options->rounds);
    const auto print = [](const char* what, const Spread& spread) {
      fmt::print("{:<12} {:>7.0f} ns a command ({:.0f} to {:.0f})\n", what, spread.median,
                 spread.least, spread.most);
    };
    print("without", cost.without);
    print("with", cost.with);
    print("difference", cost.difference);
  });
  return command;
}

/// `servers`: NAME=PROGRAM each.
std::string program_of(const std::string& name, const std::vector<std::string>& servers) {
  for (const std::string& server : servers) {
    if (server.starts_with(name + "=")) {
      return server.substr(name.size() + 1);
    }
  }
  throw std::runtime_error("there is no program for the server " + name + ": give --server " +
                           name + "=PROGRAM, as scripts/servers tells them");
}

CLI::App* add_run(CLI::App& app) {
  struct Options {
    std::vector<std::string> experiments;
    std::vector<std::string> methods;
    bool quick = false;
    bool added = false;
    std::uint64_t rounds = 0;
    std::filesystem::path out = "results.json";
    Programs programs;
    std::vector<std::string> servers;
  };
  CLI::App* command = app.add_subcommand("run", "Measures whole experiments, in turn.");
  const auto options = std::make_shared<Options>();
  std::vector<std::string> names;
  for (const Experiment& experiment : plan(false)) {
    names.push_back(experiment.name);
    names.push_back(experiment.group);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  std::erase(names, "");
  command->add_option("experiments", options->experiments)->required()->check(CLI::IsMember(names));
  command->add_option("--methods", options->methods, "only these")
      ->check(CLI::IsMember(method_names()));
  command->add_flag("--quick", options->quick, "less data, one round");
  command->add_option("--rounds", options->rounds, "instead of the experiment's own");
  command
      ->add_option("--out", options->out,
                   "a file of results, in which those of the same experiments are replaced")
      ->capture_default_str();
  command->add_flag("--add", options->added, "add rounds to them instead");
  add_program_options(*command, options->programs);
  command->add_option(
      "--server", options->servers,
      "NAME=PROGRAM for the experiments with that server; scripts/servers has them");
  command->callback([=] {
    const Scratch scratch;
    for (Experiment experiment : plan(options->quick)) {
      const auto chosen = [&](const std::vector<std::string>& among, const std::string& name) {
        return std::find(among.begin(), among.end(), name) != among.end();
      };
      if (!chosen(options->experiments, experiment.name) &&
          !chosen(options->experiments, experiment.group)) {
        continue;
      }
      if (options->rounds > 0) {
        experiment.rounds = options->rounds;
      }
      if (!options->methods.empty()) {
        std::erase_if(experiment.methods,
                      [&](const std::string& method) { return !chosen(options->methods, method); });
      }
      Programs programs = options->programs;
      if (!experiment.server.empty()) {
        programs.redis_server = program_of(experiment.server, options->servers);
      }
      run_experiment(experiment, programs, options->added, scratch.path(), options->out);
    }
  });
  return command;
}

CLI::App* add_report(CLI::App& app) {
  struct Options {
    std::vector<std::filesystem::path> files;
    std::filesystem::path out = ".";
  };
  CLI::App* command =
      app.add_subcommand("report", "Writes README.md and plots from files of results.");
  const auto options = std::make_shared<Options>();
  command->add_option("files", options->files)->required()->check(CLI::ExistingFile);
  command->add_option("--out", options->out, "directory")->capture_default_str();
  command->callback([=] {
    std::vector<Results> all;
    for (const auto& file : options->files) {
      all.push_back(load_results(file));
    }
    write_plots(all, options->out);
    write_markdown(all, options->out / "README.md");
  });
  return command;
}

}  // namespace
}  // namespace rdmasync::bench

int main(int argc, char** argv) {
  using namespace rdmasync::bench;
  constexpr int kFailed = 2;
  constexpr int kInterrupted = 130;
  CLI::App app{
      "Measures how a Redis replica gets its first copy of the data: by rdmasync, by "
      "Redis's own full sync, and by GET and SET."};
  app.require_subcommand(1);
  for (const auto add : {add_fill, add_sync, add_raw, add_idle, add_run, add_report}) {
    add(app)->fallthrough(false);
  }
  handle_interrupts();
  try {
    CLI11_PARSE(app, argc, argv);
    return 0;
  } catch (const std::exception& error) {
    if (interrupted()) {
      fmt::print(stderr, "interrupted\n");
      return kInterrupted;
    }
    fmt::print(stderr, "rdmasync-bench: {}\n", error.what());
    return kFailed;
  }
}

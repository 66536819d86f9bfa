// Measures how each write command of a server notifies of what it changes, and prints a table.
// Usage: rdmasync-writes [--changes N] [--check DIRECTORY]
//   --changes: so many are to be seen of each command; 60 if not said
//   --check:   instead, says where it is worse than the table of this server in the directory, and
//              which commands the module must not trust

#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "measurement.h"
#include "module/master/known_commands.h"
#include "table.h"

namespace rdmasync::test {
namespace {

bool trusted_wrongly(const std::string& name, Told told) {
  switch (master::how_it_notifies(name)) {
    case master::Notifies::kTyped:
      return told == Told::kGeneric || told == Told::kSilent;
    case master::Notifies::kGeneric:
      return told == Told::kSilent;
    case master::Notifies::kKeyless:
      return told != Told::kKeyless;
    case master::Notifies::kUnknown:
      return false;
  }
  return false;
}

int check(const Measurement& measurement, const Table& measured,
          const std::filesystem::path& directory) {
  bool good = true;
  for (const auto& [name, told] : measured) {
    if (!trusted_wrongly(name, told)) {
      continue;
    }
    std::cout << name << " is trusted by the module, but measured is " << to_string(told) << '\n';
    good = false;
  }
  const auto path = directory / (measurement.server_name() + ".txt");
  if (!std::filesystem::exists(path)) {
    std::cout << "no table of " << measurement.server_name() << " yet: rdmasync-writes > "
              << path.filename().string() << '\n';
    return good ? 0 : 1;
  }
  for (const std::string& line : worse(read_table(path), measured)) {
    std::cout << line << '\n';
    good = false;
  }
  std::cout << measured.size() << " write commands of " << measurement.server_name() << '\n';
  return good ? 0 : 1;
}

int run(const std::vector<std::string>& arguments) {
  constexpr int kChanges = 60;
  int changes = kChanges;
  std::string tables;
  for (std::size_t i = 0; i < arguments.size(); i += 2) {
    if (i + 1 == arguments.size()) {
      throw std::invalid_argument(arguments[i] + " needs a value");
    }
    if (arguments[i] == "--changes") {
      changes = std::stoi(arguments[i + 1]);
    } else if (arguments[i] == "--check") {
      tables = arguments[i + 1];
    } else {
      throw std::invalid_argument("no such option: " + arguments[i]);
    }
  }
  Measurement measurement(changes);
  const Table table = measurement.run();
  if (!tables.empty()) {
    return check(measurement, table, tables);
  }
  write_table(table, std::cout);
  return 0;
}

}  // namespace
}  // namespace rdmasync::test

int main(int argc, char** argv) {
  try {
    return rdmasync::test::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << "rdmasync-writes: " << error.what() << '\n';
    return 2;
  }
}

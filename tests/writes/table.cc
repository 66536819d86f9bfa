#include "table.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <stdexcept>
#include <utility>

namespace rdmasync::test {
namespace {

constexpr std::array<std::pair<Told, const char*>, 5> kWords = {{{Told::kKeyless, "keyless"},
                                                                 {Told::kUnseen, "unseen"},
                                                                 {Told::kTyped, "typed"},
                                                                 {Told::kGeneric, "generic"},
                                                                 {Told::kSilent, "silent"}}};

Told from_string(const std::string& word) {
  const auto* found = std::find_if(kWords.begin(), kWords.end(),
                                   [&](const auto& known) { return known.second == word; });
  if (found == kWords.end()) {
    throw std::runtime_error("no such word in a table: " + word);
  }
  return found->first;
}

}  // namespace

std::string to_string(Told told) {
  return kWords.at(static_cast<std::size_t>(told)).second;
}

Table read_table(const std::filesystem::path& path) {
  std::ifstream in(path);
  if (!in) {
    throw std::runtime_error("cannot read " + path.string());
  }
  Table table;
  std::string name;
  std::string word;
  while (in >> name >> word) {
    table[name] = from_string(word);
  }
  return table;
}

void write_table(const Table& table, std::ostream& out) {
  for (const auto& [name, told] : table) {
    out << name << ' ' << to_string(told) << '\n';
  }
}

std::vector<std::string> worse(const Table& committed, const Table& measured) {
  std::vector<std::string> lines;
  for (const auto& [name, told] : measured) {
    const auto before = committed.find(name);
    if (before == committed.end()) {
      lines.push_back(name + " is not in the table");
    } else if (told > before->second) {
      lines.push_back(name + " is " + to_string(before->second) +
                      " in the table, and measured as " + to_string(told));
    }
  }
  return lines;
}

}  // namespace rdmasync::test

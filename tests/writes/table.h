#pragma once

#include <filesystem>
#include <iosfwd>
#include <map>
#include <string>
#include <vector>

namespace rdmasync::test {

/// How a command told of what it changed.
enum class Told {
  kKeyless,  ///< it names no key
  kUnseen,   ///< it was not seen to change anything
  kTyped,    ///< of every key by an event of a type of values
  kGeneric,  ///< of every key, but of some only by an event of a new key or of any type of value
  kSilent,   ///< not of every key
};

std::string to_string(Told told);

/// What was measured on one version of a server: each of its write commands, by name. As a file, a
/// line for each.
using Table = std::map<std::string, Told>;

Table read_table(const std::filesystem::path& path);
void write_table(const Table& table, std::ostream& out);

/// A line for every command that was not measured before, or told of less than it did then. Some
/// ways of a command are rare: that it told of more is no difference.
std::vector<std::string> worse(const Table& committed, const Table& measured);

}  // namespace rdmasync::test

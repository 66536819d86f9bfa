#include "module/master/known_commands.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

namespace rdmasync::master {
namespace {

std::string lower(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name;
}

/// What a table says of a command, from the most trusted to the least.
Notifies from_word(const std::string& word) {
  if (word == "typed") {
    return Notifies::kTyped;
  }
  if (word == "generic") {
    return Notifies::kGeneric;
  }
  return word == "keyless" ? Notifies::kKeyless : Notifies::kUnknown;
}

TEST(KnownCommands, AreThoseThatWereMeasured) {
  std::map<std::string, Notifies> measured;
  int tables = 0;
  for (const auto& entry : std::filesystem::directory_iterator(RDMASYNC_TEST_TABLES)) {
    std::ifstream in(entry.path());
    std::string name;
    std::string word;
    while (in >> name >> word) {
      Notifies& worst = measured.emplace(lower(name), Notifies::kTyped).first->second;
      worst = std::max(worst, from_word(word));
    }
    tables++;
  }
  EXPECT_GE(tables, 5);
  // It flushes a slot, and no event tells so; in cluster mode alone, which a sync refuses.
  measured["cluster|flushslot"] = Notifies::kUnknown;
  for (const auto& [name, notifies] : measured) {
    EXPECT_EQ(how_it_notifies(name), notifies) << name;
  }
}

TEST(KnownCommands, WhatIsNotKnownIsNotTrusted) {
  for (const char* name : {"pfcount", "xackdel", "xgroup", "no-such-command", "SET", ""}) {
    EXPECT_EQ(how_it_notifies(name), Notifies::kUnknown) << name;
  }
}

}  // namespace
}  // namespace rdmasync::master

#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "tests/support/client.h"

namespace rdmasync::test {

/// An endless sequence of write commands that touches everything a replica must follow. The same
/// seed gives the same sequence. Errors are part of it: a command may find no such group, or a key
/// of another type where RENAME or FLUSHDB has been.
class CommandMix {
 public:
  explicit CommandMix(std::uint64_t seed) : random_(seed) {}

  /// What belongs together: one command, or MULTI ... EXEC.
  std::vector<Command> next();

 private:
  Command any();
  Command string();
  Command large();
  Command list();
  Command set();
  Command hash();
  Command zset();
  Command stream();
  Command stream_group();
  Command hyperloglog();
  Command module_value();
  Command expiry();
  Command generic();
  Command script();
  Command function();
  Command rare();
  std::vector<Command> transaction();

  int below(int bound);
  std::string key(const char* type);
  std::string any_key();
  std::string number(int bound) { return std::to_string(below(bound)); }
  std::string database();
  std::string bytes(int max_length);
  std::string stream_id();

  std::mt19937_64 random_;
};

}  // namespace rdmasync::test

#pragma once

#include <cstdint>
#include <initializer_list>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "tests/support/client.h"

namespace rdmasync::test {

inline constexpr int kDatabases = 16;

/// Payloads that a server has made, for the commands that take such.
struct Payloads {
  std::vector<std::string> values;  ///< DUMP
  std::string functions;            ///< FUNCTION DUMP
  std::string script;               ///< SCRIPT LOAD of run_all_script
  int elsewhere = 0;                ///< port of a server to MIGRATE to
};

/// What one run lets its writers do.
struct Playground {
  Payloads payloads;
  /// FLUSHDB and SWAPDB are for the databases below this one, FLUSHALL only if there are no others.
  int flushable = kDatabases;
  int largest_value = 200 << 10;  ///< bytes
  /// Few: commands meet on them. Many: a key may rest between one write and the cut.
  int keys_per_type = 5;
  std::string names = {};   ///< part of every key, for keys that others leave alone
  std::string slot = {};    ///< the same, as a hash tag: in a cluster all are of one slot
  bool short_lives = true;  ///< some that end within the run
};

/// All chance of one writer: the same seed gives the same commands on every machine. The name of a
/// key tells the type that it has most of the time.
class Dice {
 public:
  Dice(std::uint64_t seed, const Playground& playground) : random_(seed), playground_(playground) {}

  const Playground& playground() const { return playground_; }

  int below(int bound);
  int between(int least, int most) { return least + below(most - least + 1); }
  bool one_in(int n) { return below(n) == 0; }
  std::string number(int bound) { return std::to_string(below(bound)); }
  const char* pick(std::initializer_list<const char*> choices);

  static constexpr int kFields = 8;  ///< of hashes that have lives: f0, f1, ...

  /// What the names of keys begin with.
  static std::span<const char* const> types();

  std::string key(const char* type);
  std::string string_key() { return key(one_in(4) ? "big" : "s"); }
  std::string any_key();
  std::string any_type();
  /// Three of four times one of a few databases.
  std::string database();
  std::string flushable_database() { return number(playground_.flushable); }

  /// Most often short; now and then as large as the playground allows.
  std::string value();
  std::string bytes(int max_length);

  /// Of streams to which XADD has given 1-0, 1-1, ...
  std::string stream_id() { return "1-" + number(12); }
  std::string group() { return "g" + number(2); }
  std::string consumer() { return "c" + number(3); }
  /// Milliseconds to live: a moment, if there are short lives, a while, or for ever as runs go.
  std::string life_ms();

 private:
  std::mt19937_64 random_;
  const Playground& playground_;
};

}  // namespace rdmasync::test

#include "tests/commands/dice.h"

#include <algorithm>
#include <array>

#include "tests/support/dataset.h"

namespace rdmasync::test {
namespace {

constexpr int kBusyDatabases = 4;
constexpr std::array<const char*, 14> kTypes = {"s",  "big", "n",   "l", "set", "h",   "hx",
                                                "hp", "z",   "geo", "x", "log", "hll", "mod"};

}  // namespace

int Dice::below(int bound) {
  // Not std::uniform_int_distribution: its result differs between libraries.
  return static_cast<int>(random_() % static_cast<std::uint64_t>(std::max(bound, 1)));
}

const char* Dice::pick(std::initializer_list<const char*> choices) {
  return choices.begin()[below(static_cast<int>(choices.size()))];
}

std::string Dice::key(const char* type) {
  return std::string(type) + ":" + playground_.slot + playground_.names +
         number(playground_.keys_per_type);
}

std::span<const char* const> Dice::types() {
  return kTypes;
}

std::string Dice::any_type() {
  return kTypes.at(static_cast<std::size_t>(below(kTypes.size())));
}

std::string Dice::any_key() {
  return key(any_type().c_str());
}

std::string Dice::database() {
  return number(one_in(4) ? kDatabases : kBusyDatabases);
}

std::string Dice::value() {
  const int kind = below(100);
  const int largest = playground_.largest_value;
  if (kind < 60) {
    return bytes(60);
  }
  if (kind < 75) {
    return number(100000);
  }
  if (kind < 90) {
    return bytes(std::min(600, largest));
  }
  if (kind < 98) {
    return bytes(std::min(9000, largest));
  }
  return bytes(largest);
}

std::string Dice::bytes(int max_length) {
  return random_bytes(random_(), static_cast<std::size_t>(below(max_length)));
}

std::string Dice::life_ms() {
  return std::to_string(one_in(3) || !playground_.short_lives ? 3'600'000 + below(1000)
                                                              : 1 + below(300));
}

}  // namespace rdmasync::test

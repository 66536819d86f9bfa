#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/commands/crowd.h"
#include "tests/support/server.h"

namespace rdmasync::test {

/// Accounts between which money moves in transactions, and counters: what holds across keys, at
/// every moment, and not only at the end. In databases that nobody flushes or swaps.
class Ledger {
 public:
  /// `name` is part of every key, so that an older ledger is not taken for this one.
  Ledger(std::string name, std::vector<int> databases);

  void open(Server& master);
  /// Moves money and counts, in MULTI, in scripts and one by one.
  Crowd::Step clerk(Server& master, std::uint64_t seed);
  /// Adds up on a replica. It finds nothing until the copy is loaded, and from then on every
  /// account; throws when it does not, or when the sum is another.
  Crowd::Step auditor(Server& replica) const;

  /// With the clerks at rest: empty, or what is wrong with the counters or the sum.
  std::string difference(Server& server) const;

 private:
  struct Sum {
    int accounts = 0;
    long long total = 0;
  };
  std::string account(int i) const;
  std::string counter(int i) const;
  int database(int i) const;
  Command sum_command() const;
  static Sum sum_of(const Reply& reply);
  std::string wrong(const Sum& sum) const;

  std::string name_;
  std::vector<int> databases_;
  std::vector<std::atomic<long long>> counted_;
};

}  // namespace rdmasync::test

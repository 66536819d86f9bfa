#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <thread>

#include "bench/measure/transfer.h"

namespace rdmasync::bench {

/// A client at the replica's end that GETs every string of the master's database 0 and SETs it at
/// the replica. Nothing that is written meanwhile, no other types, no expiry.
class GetSet : public Transfer {
 public:
  /// `pipelined` keeps several values under way; else each waits for the one before.
  GetSet(Ends ends, bool pipelined);
  ~GetSet() override;

  void start() override;
  Stage poll() override;
  bool caught_up(double /*master_offset*/) override { return true; }

 private:
  void run();
  void copy_all(Client& from, Client& into);
  std::uint64_t values_at_once(Client& from) const;

  Ends ends_;
  bool pipelined_;
  std::atomic<std::uint64_t> keys_{0};
  std::atomic<std::uint64_t> copied_{0};
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> done_{false};
  std::exception_ptr error_;
  std::thread thread_;
};

}  // namespace rdmasync::bench

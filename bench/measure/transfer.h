#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bench/measure/method.h"
#include "bench/measure/outcome.h"
#include "bench/support.h"

namespace rdmasync::bench {

/// How far a transfer is. `share` is 0 to 1.
struct Stage {
  std::string phase;
  double share = 0;
  std::uint64_t bytes = 0;
  bool done = false;
};

/// One replica on its way to the master's data.
class Transfer {
 public:
  virtual ~Transfer() = default;

  virtual void start() = 0;
  /// Done once the replica serves the whole dataset, and follows the master itself unless the
  /// method is a mere copy. Throws std::runtime_error when it failed.
  virtual Stage poll() = 0;
  /// Whether the replica has what the master had written up to there.
  virtual bool caught_up(double master_offset) = 0;
};

/// Who takes part.
struct Ends {
  std::function<Client()> master;   ///< connects from here
  std::function<Client()> replica;  ///< connects from here
  std::string master_address;       ///< for the replica
  int master_port = 0;
  std::function<void()> move_to_replica;  ///< the calling thread, into its network
};

/// What RDMASYNC.STATUS of a replica tells of its last sync.
std::vector<Part> rdmasync_parts(const Fields& status);

std::unique_ptr<Transfer> make_transfer(const Method& method, const Ends& ends);

}  // namespace rdmasync::bench

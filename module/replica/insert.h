#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "module/replica/inserter.h"
#include "module/replica/staging.h"
#include "module/replica/stream.h"
#include "module/replica/suitability.h"

/// A dataset enters the keyspace. Main thread, inside of a load. Throws Error for what the server
/// refuses.
namespace rdmasync::replica {

/// All of it, at once.
void insert(Staging& staging);

/// All of it, in steps of a millisecond or so, each with the rights of a client. Made, used and
/// destroyed on the main thread.
class Insertion {
 public:
  Insertion(std::shared_ptr<const Staging> staging, std::int64_t steps);

  /// With the last one, all of the rest is inserted; whether it was that.
  bool step(RedisModuleCtx* client);

  /// How many there should be, which are at most so many. Any thread.
  static std::int64_t steps_for(const Staging& staging, std::int64_t most);

 private:
  bool insert_next();

  std::shared_ptr<const Staging> staging_;
  std::int64_t steps_left_;
  std::size_t work_of_step_;
  std::size_t work_done_ = 0;  ///< in this step
  Inserter inserter_{Inserter::Turns::kNone};
  Staging::Databases::const_iterator db_;
  std::size_t next_ = 0;  ///< of that
  std::string_view key_;  ///< the one before, of which these are left
  std::span<const Incoming> parts_left_;
};

/// As it comes, to the end. A change that is refused, or not suitable, ends the stream, too.
void insert(Stream& stream, const Suitability& suitability);

}  // namespace rdmasync::replica

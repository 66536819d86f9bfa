#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "module/log/ring.h"
#include "module/master/registrar.h"
#include "module/redis/rdb.h"

namespace rdmasync::master {

/// Puts records into the log in the order in which they are given, whatever each has to wait for:
/// room in the ring, or a registration. Main thread only.
class Publisher {
 public:
  /// `pinned_limit`: registered bytes outside the log that suffice to hold further values back.
  /// `lost`: a value could not be registered, so nothing was published for this key.
  Publisher(log::Ring& ring, Registrar& registrar, std::size_t pinned_limit,
            std::function<void(std::uint32_t db, std::string_view key, const Error&)> lost);
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;
  ~Publisher() = default;

  /// A record whose body is `head` and `rest`. If that is too large for the ring, `rest` goes into
  /// registered memory of its own.
  void put(const log::RecordInfo& info, std::string_view head, std::string_view rest = {});

  /// A string value that stays in the keyspace.
  void put_value(std::uint32_t db, std::string_view key, const redis::rdb::KeyMeta& meta,
                 std::span<std::byte> bytes);

  /// Moves what waits into the ring, as far as possible, and publishes. Throws Error(kResources) if
  /// a replica could not be told of everything any more.
  void advance();

  /// Every replica has consumed the log up to here.
  void release(std::uint64_t position);

  /// Nobody reads any more: everything pinned is given back. The last call.
  void retire_all();

  /// Whether to hold back with further records. Some may wait: their registrations then follow each
  /// other without a turn of the event loop between them.
  bool congested() const {
    return waiting_.size() >= kMostWaiting || waiting_bytes_ >= kMostWaitingBytes ||
           pinned_bytes_ >= pinned_limit_;
  }
  std::size_t pinned_bytes() const { return pinned_bytes_; }

  /// Whether a value in place is, or will be, published at or behind a position of the log.
  bool has_value_behind(std::uint64_t position) const {
    return waiting_values_ > 0 || last_value_end_ > position;
  }

  /// Sums since the start.
  struct Totals {
    std::uint64_t direct = 0;  ///< records of values in place
    std::uint64_t packed = 0;  ///< of all other values
  };
  const Totals& totals() const { return totals_; }

 private:
  static constexpr std::size_t kMostWaiting = 256;
  static constexpr std::size_t kMostWaitingBytes = 1U << 20;  ///< copied, beside what is registered

  struct Waiting {
    log::RecordInfo info;
    std::string body;  ///< after the head that tells of remote bytes, if there are some
    redis::rdb::KeyMeta meta = {};  ///< of a value in place
    std::shared_ptr<Registrar::Ticket> ticket;
    std::shared_ptr<void> owner;
  };
  struct Pinned {
    std::uint64_t end;
    std::size_t bytes;
    std::unique_ptr<rdma::MemoryRegion> region;
    std::shared_ptr<void> owner;
  };

  void wait_for_registration(Waiting waiting, std::span<std::byte> bytes);
  bool try_publish(Waiting& waiting);
  bool append_remote(Waiting& waiting);
  void count(const log::RecordInfo& info, std::size_t payload);

  log::Ring& ring_;
  Registrar& registrar_;
  std::size_t pinned_limit_;
  std::function<void(std::uint32_t, std::string_view, const Error&)> lost_;
  std::deque<Waiting> waiting_;
  std::deque<Pinned> pinned_;  ///< by growing end
  std::size_t pinned_bytes_ = 0;
  std::size_t waiting_values_ = 0;
  std::size_t waiting_bytes_ = 0;
  std::uint64_t last_value_end_ = 0;
  Totals totals_;
};

}  // namespace rdmasync::master

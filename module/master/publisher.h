#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "module/log/entry.h"
#include "module/log/ring.h"
#include "module/master/registrar.h"

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

  /// A direct one: the string stays in the keyspace, and is read there.
  void put_direct(std::uint32_t db, std::string_view key, const log::KeyMeta& meta,
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

  /// Whether a direct record is, or will be, in the log at that position or after it.
  bool has_direct_after(std::uint64_t position) const {
    return waiting_direct_ > 0 || last_direct_end_ > position;
  }

  /// Sums since the start.
  struct Totals {
    std::uint64_t direct = 0;  ///< records
    std::uint64_t packed = 0;  ///< records of all other values
    std::uint64_t parts = 0;   ///< records of parts of values
  };
  const Totals& totals() const { return totals_; }

 private:
  static constexpr std::size_t kMostWaiting = 256;
  static constexpr std::size_t kMostWaitingBytes = 1U << 20;  ///< copied, beside what is registered

  struct Waiting {
    log::RecordInfo info;
    std::string body;        ///< after the head that tells of remote bytes, if there are some
    log::KeyMeta meta = {};  ///< of a direct record
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
  std::size_t waiting_direct_ = 0;
  std::size_t waiting_bytes_ = 0;
  std::uint64_t last_direct_end_ = 0;
  Totals totals_;
};

}  // namespace rdmasync::master

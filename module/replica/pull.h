#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "module/log/record.h"
#include "module/replica/attach.h"
#include "module/replica/sink.h"
#include "module/replica/sync_status.h"
#include "module/replica/value_buffers.h"

namespace rdmasync::replica {

/// Reads the master's export log and the values it points to, by one-sided reads, into a Sink. A
/// value that the master frees meanwhile is torn: it is published again, so by the cut every key
/// must have been read whole. For one thread of ours.
class Pull {
 public:
  struct Callbacks {
    /// Everything before the position is consumed. Said again while the next value takes long.
    std::function<void(std::uint64_t position)> acknowledge;
    /// Called now and then; throws when the sync is to end.
    std::function<void()> check;
    /// Called now and then while the log stands still. A master that hangs can be read from for
    /// ever: throws when it no longer answers.
    std::function<void()> check_silence;
  };

  Pull(Attachment attachment, Sink& sink, const ValueBuffers::Options& value_buffers,
       SyncStatus& status, Callbacks callbacks);
  Pull(const Pull&) = delete;
  Pull& operator=(const Pull&) = delete;
  ~Pull();

  /// Reads until `rounds` rounds have ended in the log, or up to this replica's cut and never
  /// beyond: with every value complete. Throws Error.
  void until_round(std::uint64_t rounds);
  void until_cut();

 private:
  using Clock = std::chrono::steady_clock;

  /// A value on its way.
  struct Reading {
    std::uint64_t position;  ///< of its record
    std::shared_ptr<Landing> landing;
    log::Remote source;
    std::unique_ptr<rdma::MemoryRegion> region;  ///< while it is read
    bool done = false;
  };

  void run(const std::function<bool()>& there);
  rdma::PartKeys log_rkeys() const;
  void read_header();
  void read_log();
  void complete(const rdma::Completion& completion);
  void on_header();
  void on_log();
  void consume(log::Record record, std::uint64_t position);
  void fetch(std::uint64_t position, log::Remote source, std::shared_ptr<Landing> landing);
  void start_reads();
  /// Everything before it is with the sink, its values read.
  std::uint64_t position() const;
  void acknowledge_if_due();
  void acknowledge();
  void say_acknowledged();
  void wait(bool for_values);

  Attachment attachment_;
  Sink& sink_;
  SyncStatus& status_;
  Callbacks callbacks_;

  std::unique_ptr<log_format::LogHeader> header_;
  std::unique_ptr<rdma::MemoryRegion> header_region_;
  bool header_pending_ = false;
  Clock::time_point header_due_{};
  Clock::time_point silent_since_ = Clock::now();
  std::chrono::microseconds header_pause_{0};

  std::uint64_t head_ = 0;      ///< as last seen in the header
  std::uint64_t consumed_ = 0;  ///< every record before it is with the sink
  std::uint64_t acknowledged_ = 0;
  Clock::time_point acknowledge_due_{};
  Clock::time_point sign_of_life_due_{};
  std::byte* log_into_ = nullptr;
  std::size_t log_pending_ = 0;  ///< bytes of the log being read
  std::uint64_t rounds_ended_ = 0;
  bool at_cut_ = false;  ///< what follows in the log is for others

  ValueBuffers values_;
  std::deque<Reading> readings_;  ///< in the order of their records
  std::uint64_t first_id_ = kFirstValue;
  std::size_t values_pending_ = 0;
  std::size_t values_limit_;               ///< bytes
  std::size_t values_unacknowledged_ = 0;  ///< bytes read since the last acknowledgement

  static constexpr std::uint64_t kHeader = 0;
  static constexpr std::uint64_t kLog = 1;
  static constexpr std::uint64_t kFirstValue = 2;
};

}  // namespace rdmasync::replica

#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "module/replica/sink.h"
#include "rdma/event.h"
#include "rdmasync/error.h"

namespace rdmasync::replica {

/// One change of the dataset, as the log has it.
struct Change {
  enum class Kind { kPut, kPart, kErase, kFlush, kSwap, kFunctions };
  Kind kind = Kind::kPut;
  std::uint32_t db = 0;
  std::uint32_t other_db = 0;  ///< of a swap
  std::string_view key;
  Incoming incoming;
};

/// Brings the changes from a pull's thread to the main thread, which inserts them while it loads,
/// with little memory between the two.
class Stream final : public Sink {
 public:
  // The pull's thread. given(), landed() and full() check_not_refused().
  void put(std::uint32_t db, std::string_view key, Incoming incoming) override;
  void add_part(std::uint32_t db, std::string_view key, Incoming part) override;
  void erase(std::uint32_t db, std::string_view key) override;
  void flush(std::uint32_t db) override;
  void swap(std::uint32_t a, std::uint32_t b) override;
  void set_functions(std::string_view payload, std::shared_ptr<Landing> landing) override;
  void given(std::shared_ptr<const void> block, std::size_t size) override;
  void landed(const std::shared_ptr<Landing>& landing) override;
  bool full() override;
  int room_fd() const override { return room_.fd(); }
  std::size_t keys() const override { return puts_; }

  /// There are no more changes: all of them, or for a reason why there never will be. The first of
  /// these calls counts.
  void end();
  void fail(const std::string& reason);
  /// Throws Error if the main thread has refused a change.
  void check_not_refused();

  /// Whether the main thread has begun to take changes. Any thread.
  bool begun() const { return begun_; }

  // The main thread.

  /// The next change, whose bytes have landed; null at the end. Until there is one, calls `idle`
  /// every millisecond. It stays until the next call. Throws Error(kCancelled) if there will be no
  /// more.
  Change* next(const std::function<void()>& idle);
  void refuse(const Error& reason);

 private:
  /// What came with one read of the log.
  struct Batch {
    std::vector<Change> changes;
    std::shared_ptr<const void> block;
    std::size_t size = 0;  ///< bytes
  };
  /// Takes the next batch, if the one before is done.
  bool has_change();

  // The pull's thread.
  std::vector<Change> collected_;
  std::atomic<std::size_t> puts_ = 0;

  // The main thread.
  Batch batch_;
  std::size_t next_ = 0;  ///< in it
  std::atomic<bool> begun_ = false;

  rdma::Event room_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Batch> batches_;
  std::size_t waiting_ = 0;  ///< bytes that are not inserted yet
  bool over_ = false;
  std::optional<std::string> failure_;
  std::optional<Error> refusal_;
};

}  // namespace rdmasync::replica

#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "module/redis/owned.h"
#include "rdma/unique_fd.h"

namespace rdmasync::replica {

/// Makes the strings that large values are read into, on threads of its own.
///
/// The server's allocator zeroes them, which for fresh memory costs as much as reading a value: one
/// thread that did both would have one of them wait for the other.
class StringMaker {
 public:
  struct Made {
    std::uint64_t id;
    redis::String string;
  };

  /// Throws Error(kResources).
  StringMaker();
  StringMaker(const StringMaker&) = delete;
  StringMaker& operator=(const StringMaker&) = delete;
  ~StringMaker();

  /// Asks for a string of `length` bytes; never blocks.
  void request(std::uint64_t id, std::size_t length);

  /// What is ready; in no order.
  std::vector<Made> take();

  /// Readable while take() has something.
  int fd() const { return ready_.get(); }

 private:
  struct Request {
    std::uint64_t id;
    std::size_t length;
  };
  void run();

  rdma::UniqueFd ready_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Request> requests_;
  std::vector<Made> made_;
  bool stopping_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace rdmasync::replica

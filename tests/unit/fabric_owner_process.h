#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rdma/fabric.h"
#include "rdma/unique_fd.h"

/// Memory of the owner.
struct RemoteRegion {
  std::size_t index = 0;
  std::uint64_t address = 0;
  std::uint32_t rkey = 0;
  std::vector<std::uint32_t> further = {};  ///< rkeys of further parts
  std::size_t part_size = SIZE_MAX;

  rdmasync::rdma::PartKeys rkeys() const {
    return {.first = rkey, .further = further, .part_size = part_size, .start = address};
  }
};

/// A process that runs fabric_owner.cc, killed at the latest with this object. For one thread.
class OwnerProcess {
 public:
  explicit OwnerProcess(std::string_view fabric);
  OwnerProcess(const OwnerProcess&) = delete;
  OwnerProcess& operator=(const OwnerProcess&) = delete;
  ~OwnerProcess();

  const std::string& endpoint() const { return endpoint_; }

  RemoteRegion add_region(std::size_t bytes, std::uint64_t seed);
  std::vector<RemoteRegion> add_many(std::size_t count, std::size_t bytes);
  void deregister(const RemoteRegion& region);
  void unmap(const RemoteRegion& region);
  void admit(const rdmasync::rdma::Token& token);
  void revoke(const rdmasync::rdma::Token& token);
  /// Forks a child that lives until it is killed.
  pid_t fork_child();

  void signal(int number) const;
  /// Kills and reaps it.
  void kill();

 private:
  std::string ask(const std::string& line);
  std::string read_line();

  pid_t pid_ = -1;
  rdmasync::rdma::UniqueFd to_;
  rdmasync::rdma::UniqueFd from_;
  std::string endpoint_;
};

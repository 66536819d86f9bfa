#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bench/support.h"

namespace rdmasync::bench {

/// Where master and replicas run, and how the replicas reach the master.
///
/// "loopback" is this host. "direct" and "router" are network namespaces of our own with a virtual
/// cable of limited rate between them: 1 Gb/s, and 100 Mb/s by way of a third that forwards. They
/// need root, and vanish with this object and with this process, however it ends. "wire" is what
/// scripts/rdma-topology has made.
class Network {
 public:
  /// Throws std::runtime_error if it cannot be had here.
  explicit Network(std::string name);

  const std::string& name() const { return name_; }
  /// The master's, for replicas.
  const std::string& address() const { return address_; }

  /// `command` so that it runs at that end.
  std::vector<std::string> at_master(const std::vector<std::string>& command) const;
  std::vector<std::string> at_replica(const std::vector<std::string>& command) const;
  /// From here on, the calling thread makes its sockets at the replica's end.
  void move_to_replica() const;

 private:
  /// Of a process that does nothing but keep a network namespace.
  using Place = std::unique_ptr<Process>;

  void make_direct();
  void make_router();

  std::string name_;
  std::string address_ = "127.0.0.1";
  Place master_;
  Place replica_;
  Place router_;
};

const std::vector<std::string>& all_networks();
/// For people.
std::string network_title(const std::string& name);

}  // namespace rdmasync::bench

#include "bench/measure/network.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace rdmasync::bench {
namespace {

using Command = std::vector<std::string>;

std::string namespace_of(const Process& place) {
  return fmt::format("/proc/{}/ns/net", place.pid());
}

Command inside(const Process* place, const Command& command) {
  Command whole;
  if (place != nullptr) {
    whole = {"nsenter", "--net=" + namespace_of(*place), "--"};
  }
  whole.insert(whole.end(), command.begin(), command.end());
  return whole;
}

void run_inside(const Process& place, const Command& command) {
  output_of(inside(&place, command));
}

std::unique_ptr<Process> make_place() {
  constexpr auto kPatience = std::chrono::seconds(5);
  auto place = std::make_unique<Process>(Command{"unshare", "--net", "sleep", "infinity"});
  const auto ours = std::filesystem::read_symlink("/proc/self/ns/net");
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  std::error_code ignored;
  // Ours, until it has got one of its own.
  while (std::filesystem::read_symlink(namespace_of(*place), ignored) == ours) {
    if (!place->running() || std::chrono::steady_clock::now() > deadline) {
      throw std::runtime_error("cannot make a network namespace; that needs root");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  run_inside(*place, {"ip", "link", "set", "lo", "up"});
  return place;
}

struct End {
  const Process& place;
  std::string device;
  std::string address;  ///< with the length of the prefix
};

/// A cable between two places that passes no more than `rate` in either direction.
void connect(const End& one, const End& other, const std::string& rate) {
  output_of({"ip", "link", "add", one.device, "netns", std::to_string(one.place.pid()), "type",
             "veth", "peer", "name", other.device, "netns", std::to_string(other.place.pid())});
  for (const End* end : {&one, &other}) {
    run_inside(end->place, {"ip", "address", "add", end->address, "dev", end->device});
    run_inside(end->place, {"ip", "link", "set", end->device, "up"});
    // Some milliseconds of queue, as a switch has.
    run_inside(end->place, {"tc", "qdisc", "add", "dev", end->device, "root", "tbf", "rate", rate,
                            "burst", "256kb", "latency", "20ms"});
  }
}

}  // namespace

Network::Network(std::string name) : name_(std::move(name)) {
  if (name_ == "direct") {
    make_direct();
  } else if (name_ == "router") {
    make_router();
  } else if (name_ == "wire") {
    const char* address = std::getenv("RDMASYNC_TEST_RDMA_ADDRESS");
    if (address == nullptr) {
      throw std::runtime_error("the network \"wire\" is only below scripts/rdma-vm");
    }
    address_ = address;
  } else if (name_ != "loopback") {
    throw std::runtime_error("there is no network " + name_);
  }
}

void Network::make_direct() {
  address_ = "10.79.0.1";
  master_ = make_place();
  replica_ = make_place();
  connect({*master_, "cable", "10.79.0.1/24"}, {*replica_, "cable", "10.79.0.2/24"}, "1gbit");
}

void Network::make_router() {
  address_ = "10.79.1.1";
  master_ = make_place();
  replica_ = make_place();
  router_ = make_place();
  connect({*master_, "cable", "10.79.1.1/24"}, {*router_, "left", "10.79.1.254/24"}, "100mbit");
  connect({*router_, "right", "10.79.2.254/24"}, {*replica_, "cable", "10.79.2.2/24"}, "100mbit");
  run_inside(*router_, {"sysctl", "-qw", "net.ipv4.ip_forward=1"});
  run_inside(*master_, {"ip", "route", "add", "default", "via", "10.79.1.254"});
  run_inside(*replica_, {"ip", "route", "add", "default", "via", "10.79.2.254"});
}

std::vector<std::string> Network::at_master(const std::vector<std::string>& command) const {
  return inside(master_.get(), command);
}

std::vector<std::string> Network::at_replica(const std::vector<std::string>& command) const {
  return inside(replica_.get(), command);
}

void Network::move_to_replica() const {
  if (!replica_) {
    return;
  }
  const int place = open(namespace_of(*replica_).c_str(), O_RDONLY | O_CLOEXEC);
  const bool moved = place >= 0 && setns(place, CLONE_NEWNET) == 0;
  const int error = errno;
  close(place);
  if (!moved) {
    throw std::system_error(error, std::generic_category(), "cannot enter a network namespace");
  }
}

const std::vector<std::string>& all_networks() {
  static const std::vector<std::string> names{"router", "direct", "loopback", "wire"};
  return names;
}

std::string network_title(const std::string& name) {
  if (name == "router") {
    return "100 Mb/s by a router";
  }
  if (name == "direct") {
    return "1 Gb/s direct";
  }
  return name == "wire" ? "Soft-RoCE link (emulated machine)" : "one host";
}

}  // namespace rdmasync::bench

#include "bench/measure/raw.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <vector>

#include "bench/measure/memory.h"
#include "bench/support.h"
#include "rdma/unique_fd.h"

namespace rdmasync::bench {
namespace {

using Command = std::vector<std::string>;

constexpr std::uint64_t kValue = std::uint64_t{4} << 20U;
constexpr double kMega = 1e6;

/// Sequential, by pieces of 1 MiB: writing is done when it is on the disk.
double disk(const char* direction, std::uint64_t bytes, const std::filesystem::path& scratch) {
  const std::string output =
      output_of({"fio", "--name=line", "--filename=" + (scratch / "fio").string(), "--bs=1M",
                 "--direct=1", fmt::format("--size={}", bytes), fmt::format("--rw={}", direction),
                 "--end_fsync=1", "--ioengine=psync", "--output-format=json"});
  const auto report = nlohmann::json::parse(output);
  return report.at("jobs").at(0).at(direction).at("bw_bytes").get<double>() / kMega;
}

/// The output of a client whose server may not be up yet.
std::string output_when_up(Process& server, const Command& client) {
  constexpr auto kPatience = std::chrono::seconds(20);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (true) {
    try {
      std::string output = output_of(client);
      // iperf3 ends well even so.
      if (output.find("\"error\"") != std::string::npos) {
        throw std::runtime_error(output);
      }
      return output;
    } catch (const std::runtime_error&) {
      throw_if_interrupted();
      if (!server.running() || std::chrono::steady_clock::now() > deadline) {
        throw;
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

/// A free TCP port of 127.0.0.1; another program may take it.
int free_port() {
  const rdma::UniqueFd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (!listener || bind(listener.get(), generic, size) != 0 ||
      getsockname(listener.get(), generic, &size) != 0) {
    throw std::system_error(errno, std::generic_category(), "no free port");
  }
  return ntohs(address.sin_port);
}

/// From the master's end to the replica's, over one connection.
double tcp(const Network& network) {
  const std::string port = std::to_string(free_port());
  const rdma::UniqueFd silence(open("/dev/null", O_WRONLY | O_CLOEXEC));
  Process server(network.at_master({"iperf3", "--server", "--port", port}), silence.get());
  const std::string output =
      output_when_up(server, network.at_replica({"iperf3", "--client", network.address(), "--port",
                                                 port, "--reverse", "--time", "2", "--json"}));
  const auto report = nlohmann::json::parse(output);
  return report.at("end").at("sum_received").at("bits_per_second").get<double>() / 8 / kMega;
}

/// A program of perftest, with as many requests under way as a device offers.
double perftest(const std::string& program, const Network& network, std::uint64_t bytes) {
  const Command options{program,
                        "--rdma_cm",
                        "--CPU-freq",
                        "--output=bandwidth",
                        fmt::format("--size={}", kValue),
                        fmt::format("--iters={}", std::max<std::uint64_t>(bytes / kValue, 8))};
  const rdma::UniqueFd silence(open("/dev/null", O_WRONLY | O_CLOEXEC));
  Process server(options, silence.get());
  Command client = options;
  client.push_back(network.address());
  const std::string output = output_when_up(server, client);
  // Its last line is in MiB a second, which perftest calls MB.
  const std::size_t end = output.find_last_not_of(" \n");
  const std::size_t begin = output.rfind('\n', end);
  return std::stod(output.substr(begin == std::string::npos ? 0 : begin + 1)) * (1 << 20) / kMega;
}

/// By our fabric, each value into fresh memory. `what` is a fabric, or that and ", huge pages".
double reads(const std::string& what, const Network& network, std::uint64_t bytes) {
  const auto program = build_directory() / "bench" / "fabric_reads";
  const std::size_t fabric_end = what.find(',');
  Command command{program.string(), what.substr(0, fabric_end),
                  "--bind",         network.address(),
                  "--rounds",       "1",
                  "--size",         std::to_string(kValue),
                  "--count",        std::to_string(std::max<std::uint64_t>(bytes / kValue, 1))};
  if (fabric_end != std::string::npos) {
    command.emplace_back("--huge-pages");
  }
  warm_memory(2 * bytes);  // the owner's come first
  const std::string output = output_of(command);
  const std::size_t colon = output.rfind(": ");
  return std::stod(output.substr(colon + 2));
}

std::span<std::byte> map(std::uint64_t bytes) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    throw std::runtime_error("cannot map memory to copy");
  }
  return {static_cast<std::byte*>(memory), bytes};
}

/// As many bytes a thread.
double copy(std::uint64_t bytes, unsigned threads) {
  const std::uint64_t share = bytes / threads;
  const auto from = map(share);
  std::memset(from.data(), 1, from.size());
  warm_memory(bytes);
  const auto into = map(share * threads);
  const auto start = std::chrono::steady_clock::now();
  {
    std::vector<std::jthread> copiers;
    for (unsigned i = 0; i < threads; ++i) {
      copiers.emplace_back(
          [&, i] { std::memcpy(into.data() + i * share, from.data(), from.size()); });
    }
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  munmap(from.data(), from.size());
  munmap(into.data(), into.size());
  return static_cast<double>(into.size()) / kMega / took.count();
}

}  // namespace

std::vector<std::string> raw_names(const std::string& network) {
  if (network == "loopback") {
    return {"disk write",
            "disk read",
            "TCP",
            "memcpy",
            "memcpy, 2 threads",
            "reads, cma",
            "reads, cma, huge pages",
            "reads, tcp"};
  }
  if (network == "wire") {
    return {"TCP", "ib_send_bw", "ib_read_bw", "reads, verbs"};
  }
  return {"TCP"};
}

double measure_raw(const std::string& name, const Network& network, std::uint64_t bytes,
                   const std::filesystem::path& scratch) {
  if (name.starts_with("disk ")) {
    return disk(name == "disk read" ? "read" : "write", bytes, scratch);
  }
  if (name == "TCP") {
    return tcp(network);
  }
  if (name.starts_with("ib_")) {
    return perftest(name, network, bytes);
  }
  if (name.starts_with("reads, ")) {
    return reads(name.substr(name.find(' ') + 1), network, bytes);
  }
  if (name.starts_with("memcpy")) {
    return copy(bytes, name == "memcpy" ? 1 : 2);
  }
  throw std::runtime_error("there is no raw line " + name);
}

}  // namespace rdmasync::bench

// How fast a fabric reads values into fresh memory, as a replica does: every value into memory of
// its own, which is registered for it and deregistered after, on a thread beside the reads.

#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "rdma/event.h"
#include "rdma/fabric.h"
#include "rdma/unique_fd.h"

namespace {

namespace rdma = rdmasync::rdma;
using Clock = std::chrono::steady_clock;

struct Options {
  std::string fabric = "verbs";
  std::string bind;
  std::size_t count = 64;
  std::size_t size = std::size_t{4} << 20;
  std::size_t ahead = 16;
  int rounds = 5;
  bool huge_pages = false;
};

std::span<std::byte> map(std::size_t size) {
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    throw std::runtime_error("mmap failed");
  }
  return {static_cast<std::byte*>(memory), size};
}

struct Source {
  std::uint64_t address = 0;
  std::uint32_t rkey = 0;
};

/// What the owner tells the reader, through a pipe.
struct Introduction {
  std::array<char, 256> endpoint{};
  rdma::Token token{};
};

/// A child process whose memory is read; it ends when the reader does.
[[noreturn]] void own(const Options& options, int out, int in) {
  try {
    const auto fabric = rdma::make_fabric(options.fabric);
    const auto listener = fabric->listen({options.bind});
    Introduction introduction;
    introduction.token = rdma::random_token();
    listener->admit(introduction.token);
    listener->endpoint().copy(introduction.endpoint.data(), introduction.endpoint.size() - 1);
    std::vector<std::unique_ptr<rdma::MemoryRegion>> regions;
    std::vector<Source> sources;
    for (std::size_t i = 0; i < options.count; ++i) {
      const auto bytes = map(options.size);
      std::memset(bytes.data(), static_cast<int>(i) + 1, bytes.size());
      regions.push_back(fabric->register_memory(bytes, rdma::Access::kRemoteRead));
      sources.push_back(
          {reinterpret_cast<std::uintptr_t>(bytes.data()), regions.back()->rkeys().first});
    }
    if (write(out, &introduction, sizeof(introduction)) > 0 &&
        write(out, sources.data(), sources.size() * sizeof(Source)) > 0) {
      char end = 0;
      while (read(in, &end, 1) > 0) {
      }
    }
    _exit(0);
  } catch (const std::exception& error) {
    fmt::print(stderr, "owner: {}\n", error.what());
    _exit(1);
  }
}

void receive(int from, void* into, std::size_t size) {
  auto* at = static_cast<std::byte*>(into);
  while (size > 0) {
    const ssize_t got = read(from, at, size);
    if (got <= 0) {
      throw std::runtime_error("the owner has gone");
    }
    at += got;
    size -= static_cast<std::size_t>(got);
  }
}

/// Memory to read one value into.
struct Value {
  std::size_t index = 0;
  std::span<std::byte> bytes;
  std::unique_ptr<rdma::MemoryRegion> region;
};

/// Makes values ready on a thread of its own, at most `ahead` of the reads, and takes them back.
class Values {
 public:
  Values(rdma::Fabric& fabric, const Options& options)
      : fabric_(fabric), options_(options), thread_([this] { run(); }) {}

  int fd() const { return ready_.fd(); }

  std::deque<Value> take() {
    const std::lock_guard lock(mutex_);
    ready_.clear();
    return std::exchange(made_, {});
  }

  void give_back(Value value) {
    {
      const std::lock_guard lock(mutex_);
      used_.push_back(std::move(value));
    }
    changed_.notify_one();
  }

  /// Blocks until every value was deregistered.
  void finish() { thread_.join(); }

 private:
  void run() {
    std::size_t begun = 0;
    std::size_t ended = 0;
    std::vector<std::span<std::byte>> mapped;
    while (ended < options_.count) {
      std::deque<Value> used;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] {
          return !used_.empty() || (begun < options_.count && begun - ended < options_.ahead);
        });
        used = std::exchange(used_, {});
      }
      for (Value& value : used) {
        value.region.reset();
        mapped.push_back(value.bytes);
        ++ended;
      }
      if (begun < options_.count && begun - ended < options_.ahead) {
        const auto bytes = map(options_.size);
        if (options_.huge_pages) {
          madvise(bytes.data(), bytes.size(), MADV_HUGEPAGE);
        }
        Value value{begun++, bytes, fabric_.register_memory(bytes, rdma::Access::kLocalWrite)};
        const std::lock_guard lock(mutex_);
        made_.push_back(std::move(value));
        ready_.set();
      }
    }
    for (const auto bytes : mapped) {
      munmap(bytes.data(), bytes.size());
    }
  }

  rdma::Fabric& fabric_;
  const Options& options_;
  rdma::Event ready_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Value> made_;
  std::deque<Value> used_;
  std::thread thread_;
};

double read_all(rdma::Fabric& fabric, rdma::Connection& connection, const Options& options,
                const std::vector<Source>& sources) {
  const auto began = Clock::now();
  Values values(fabric, options);
  std::vector<Value> reading(options.count);
  std::array<rdma::Completion, 64> completions;
  for (std::size_t done = 0; done < options.count;) {
    for (Value& value : values.take()) {
      const Source& source = sources.at(value.index);
      Value& kept = reading.at(value.index) = std::move(value);
      connection.post({.id = kept.index,
                       .into = kept.bytes.data(),
                       .local = kept.region.get(),
                       .remote = source.address,
                       .rkeys = {source.rkey},
                       .length = options.size});
    }
    const std::size_t count = connection.poll(completions);
    for (std::size_t i = 0; i < count; ++i) {
      if (completions.at(i).error) {
        throw rdmasync::Error(*completions.at(i).error);
      }
      Value& value = reading.at(completions.at(i).id);
      const auto expected = static_cast<std::byte>(value.index + 1);
      if (value.bytes.front() != expected || value.bytes.back() != expected) {
        throw std::runtime_error("a value came wrong");
      }
      values.give_back(std::move(value));
    }
    done += count;
    if (count == 0) {
      std::array<pollfd, 2> ready{pollfd{connection.fd(), POLLIN, 0},
                                  pollfd{values.fd(), POLLIN, 0}};
      ::poll(ready.data(), ready.size(), -1);
    }
  }
  const std::chrono::duration<double> took = Clock::now() - began;
  values.finish();
  return static_cast<double>(options.count * options.size) / 1e6 / took.count();
}

void run(const Options& options) {
  std::array<int, 2> up{};
  std::array<int, 2> down{};
  if (pipe(up.data()) != 0 || pipe(down.data()) != 0) {
    throw std::runtime_error("pipe failed");
  }
  const pid_t owner = fork();
  if (owner == 0) {
    close(down[1]);
    own(options, up[1], down[0]);
  }
  close(up[1]);
  const rdma::UniqueFd from(up[0]);
  {
    const rdma::UniqueFd lifeline(down[1]);
    Introduction introduction;
    std::vector<Source> sources(options.count);
    receive(from.get(), &introduction, sizeof(introduction));
    receive(from.get(), sources.data(), sources.size() * sizeof(Source));
    const auto fabric = rdma::make_fabric(options.fabric);
    const auto connection = fabric->connect({.host = "127.0.0.1",
                                             .endpoint = introduction.endpoint.data(),
                                             .token = introduction.token});
    for (int round = 0; round < options.rounds; ++round) {
      fmt::print("{}: {} reads of {} bytes into fresh memory: {:.1f} MB/s\n", options.fabric,
                 options.count, options.size, read_all(*fabric, *connection, options, sources));
    }
  }
  waitpid(owner, nullptr, 0);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Reads values of another process over a fabric and prints the bandwidth.");
  app.add_option("fabric", options.fabric, "verbs, cma or tcp")->capture_default_str();
  app.add_option("--bind", options.bind, "address that the owner listens on");
  app.add_option("--count", options.count, "values a round")->capture_default_str();
  app.add_option("--size", options.size, "bytes of each")->capture_default_str();
  app.add_option("--ahead", options.ahead, "values registered at a time")->capture_default_str();
  app.add_option("--rounds", options.rounds)->capture_default_str();
  app.add_flag("--huge-pages", options.huge_pages, "ask the kernel for them for what is read into");
  CLI11_PARSE(app, argc, argv);
  try {
    run(options);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}

// An owner of memory, told what to do by lines on its standard input, each answered by a line. Over
// verbs it listens on RDMASYNC_TEST_RDMA_ADDRESS, without that on its first RDMA device.
//
//   region <bytes> <seed>  maps, fills and registers memory     -> <region> <address> <part> <rkey>
//   ... many <count> <bytes>   registers slices of one mapping      -> <address> <rkey> <rkey> ...
//   deregister <region>    | unmap <region>                     -> ok
//   admit <hex> | revoke <hex>                                  -> ok
//   fork                   a child that outlives its parent     -> <pid>

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "rdma/fabric.h"
#include "tests/unit/fabric_pattern.h"
#include "tests/unit/pipe.h"

namespace {

using rdmasync::rdma::Access;
using rdmasync::rdma::Fabric;
using rdmasync::rdma::Listener;
using rdmasync::rdma::MemoryRegion;
using rdmasync::rdma::Pipe;
using rdmasync::rdma::Token;
using rdmasync::rdma::UniqueFd;

struct Region {
  std::span<std::byte> bytes;
  std::unique_ptr<MemoryRegion> registered;
};

std::span<std::byte> map(std::size_t size) {
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    throw std::runtime_error("mmap failed");
  }
  return {static_cast<std::byte*>(memory), size};
}

Token read_token(std::istream& in) {
  std::string hex;
  in >> hex;
  Token token{};
  for (std::size_t i = 0; i < token.size(); ++i) {
    token[i] = static_cast<std::byte>(std::stoi(hex.substr(2 * i, 2), nullptr, 16));
  }
  return token;
}

class Owner {
 public:
  explicit Owner(const std::string& fabric)
      : fabric_(rdmasync::rdma::make_fabric(fabric)),
        listener_(fabric_->listen({address(fabric)})) {}

  std::string endpoint() const { return listener_->endpoint(); }

  std::string obey(const std::string& line) {
    std::istringstream in(line);
    std::ostringstream out;
    std::string command;
    in >> command;
    if (command == "region") {
      add_region(in, out);
    } else if (command == "many") {
      add_many(in, out);
    } else if (command == "deregister") {
      region(in).registered.reset();
    } else if (command == "unmap") {
      const auto bytes = region(in).bytes;
      munmap(bytes.data(), bytes.size());
    } else if (command == "admit") {
      listener_->admit(read_token(in));
    } else if (command == "revoke") {
      listener_->revoke(read_token(in));
    } else if (command == "fork") {
      out << fork_child();
    } else {
      throw std::runtime_error("unknown command: " + line);
    }
    return out.str().empty() ? "ok" : out.str();
  }

 private:
  static std::string address(const std::string& fabric) {
    const char* of_device = std::getenv("RDMASYNC_TEST_RDMA_ADDRESS");
    return fabric == "verbs" && of_device != nullptr ? of_device : "127.0.0.1";
  }

  Region& region(std::istream& in) {
    std::size_t index = 0;
    in >> index;
    return regions_.at(index);
  }

  void add_region(std::istream& in, std::ostream& out) {
    std::size_t size = 0;
    std::uint64_t seed = 0;
    in >> size >> seed;
    const auto bytes = map(size);
    for (std::size_t i = 0; i < size; ++i) {
      bytes[i] = pattern_at(seed, i);
    }
    regions_.push_back({bytes, fabric_->register_memory(bytes, Access::kRemoteRead)});
    const auto keys = regions_.back().registered->rkeys();
    out << regions_.size() - 1 << ' ' << reinterpret_cast<std::uintptr_t>(bytes.data()) << ' '
        << keys.part_size << ' ' << keys.first;
    for (const std::uint32_t rkey : keys.further) {
      out << ' ' << rkey;
    }
  }

  void add_many(std::istream& in, std::ostream& out) {
    std::size_t count = 0;
    std::size_t size = 0;
    in >> count >> size;
    const auto bytes = map(count * size);
    out << reinterpret_cast<std::uintptr_t>(bytes.data());
    for (std::size_t i = 0; i < count; ++i) {
      const auto slice = bytes.subspan(i * size, size);
      slice.front() = pattern_at(i, 0);
      regions_.push_back({slice, fabric_->register_memory(slice, Access::kRemoteRead)});
      out << ' ' << regions_.back().registered->rkeys().first;
    }
  }

  // The child closes the pipes of the conversation, but not what the fabric has open: the fabric
  // does, before fork() returns there. Until then the answer waits.
  static pid_t fork_child() {
    Pipe returned;
    const pid_t pid = fork();
    returned.write = UniqueFd();
    if (pid == 0) {
      close(STDIN_FILENO);
      close(STDOUT_FILENO);
      for (;;) {
        pause();
      }
    }
    char none = 0;
    if (read(returned.read.get(), &none, 1) != 0) {
      throw std::runtime_error("the child's end of the pipe was not closed");
    }
    return pid;
  }

  std::unique_ptr<Fabric> fabric_;
  std::unique_ptr<Listener> listener_;
  std::vector<Region> regions_;
};

}  // namespace

int main(int argc, char** argv) {
  try {
    Owner owner(argc > 1 ? argv[1] : "");
    std::cout << owner.endpoint() << std::endl;
    for (std::string line; std::getline(std::cin, line);) {
      std::cout << owner.obey(line) << std::endl;
    }
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    std::cerr << "fabric owner: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}

#include "tests/unit/fabric_owner_process.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <sstream>
#include <stdexcept>

#include "tests/unit/pipe.h"

namespace {

using rdmasync::rdma::Pipe;
using rdmasync::rdma::Token;
using rdmasync::rdma::UniqueFd;

std::string hex(const Token& token) {
  std::string text;
  for (const std::byte byte : token) {
    std::array<char, 3> digits{};
    std::snprintf(digits.data(), digits.size(), "%02x", std::to_integer<unsigned>(byte));
    text += digits.data();
  }
  return text;
}

}  // namespace

OwnerProcess::OwnerProcess(std::string_view fabric) {
  Pipe down;
  Pipe up;
  std::string program = RDMASYNC_FABRIC_OWNER;
  std::string name(fabric);
  const std::array<char*, 3> argv{program.data(), name.data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, down.read.get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, up.write.get(), STDOUT_FILENO);
  const int failed = posix_spawn(&pid_, program.c_str(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    throw std::runtime_error("cannot start " + program);
  }
  to_ = std::move(down.write);
  from_ = std::move(up.read);
  up.write = UniqueFd();
  endpoint_ = read_line();
}

OwnerProcess::~OwnerProcess() {
  kill();
}

RemoteRegion OwnerProcess::add_region(std::size_t bytes, std::uint64_t seed) {
  std::istringstream reply(ask("region " + std::to_string(bytes) + ' ' + std::to_string(seed)));
  RemoteRegion region;
  reply >> region.index >> region.address >> region.part_size >> region.rkey;
  for (std::uint32_t rkey = 0; reply >> rkey;) {
    region.further.push_back(rkey);
  }
  return region;
}

std::vector<RemoteRegion> OwnerProcess::add_many(std::size_t count, std::size_t bytes) {
  std::istringstream reply(ask("many " + std::to_string(count) + ' ' + std::to_string(bytes)));
  std::uint64_t address = 0;
  reply >> address;
  std::vector<RemoteRegion> regions;
  for (std::uint32_t rkey = 0; reply >> rkey; address += bytes) {
    regions.push_back({.index = regions.size(), .address = address, .rkey = rkey});
  }
  return regions;
}

void OwnerProcess::deregister(const RemoteRegion& region) {
  ask("deregister " + std::to_string(region.index));
}

void OwnerProcess::unmap(const RemoteRegion& region) {
  ask("unmap " + std::to_string(region.index));
}

void OwnerProcess::admit(const Token& token) {
  ask("admit " + hex(token));
}

void OwnerProcess::revoke(const Token& token) {
  ask("revoke " + hex(token));
}

pid_t OwnerProcess::fork_child() {
  return std::stoi(ask("fork"));
}

void OwnerProcess::signal(int number) const {
  ::kill(pid_, number);
}

void OwnerProcess::kill() {
  if (pid_ > 0) {
    signal(SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
}

std::string OwnerProcess::ask(const std::string& line) {
  const std::string text = line + '\n';
  if (write(to_.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    throw std::runtime_error("cannot talk to the owner process");
  }
  return read_line();
}

std::string OwnerProcess::read_line() {
  std::string line;
  std::array<char, 4096> some{};
  while (line.empty() || line.back() != '\n') {
    const ssize_t got = read(from_.get(), some.data(), some.size());
    if (got <= 0) {
      throw std::runtime_error("the owner process has died");
    }
    line.append(some.data(), static_cast<std::size_t>(got));
  }
  line.pop_back();
  return line;
}

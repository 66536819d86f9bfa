#include "module/replica/own_socket.h"

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

namespace rdmasync::replica {

namespace {

/// The inode of the socket with these ports, by the kernel's table; empty if there is none.
std::string inode_of(std::uint16_t from_port, std::uint16_t to_port) {
  constexpr unsigned kLoopback = 0x0100007F;
  std::ifstream table("/proc/self/net/tcp");
  std::string line;
  std::getline(table, line);
  while (std::getline(table, line)) {
    unsigned from = 0;
    unsigned from_at = 0;
    unsigned to = 0;
    unsigned to_at = 0;
    std::array<char, 32> inode{};
    const int fields =
        std::sscanf(line.c_str(), " %*u: %8X:%4X %8X:%4X %*X %*X:%*X %*X:%*X %*X %*u %*u %31s",
                    &from, &from_at, &to, &to_at, inode.data());
    if (fields == 5 && from == kLoopback && to == kLoopback && from_at == from_port &&
        to_at == to_port) {
      return inode.data();
    }
  }
  return {};
}

}  // namespace

bool is_own_connection(std::uint16_t peer_port, std::uint16_t local_port) {
  const std::string inode = inode_of(peer_port, local_port);
  if (inode.empty() || inode == "0") {
    return false;
  }
  const std::string wanted = "socket:[" + inode + "]";
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", ignored)) {
    if (std::filesystem::read_symlink(entry.path(), ignored).string() == wanted) {
      return true;
    }
  }
  return false;
}

}  // namespace rdmasync::replica

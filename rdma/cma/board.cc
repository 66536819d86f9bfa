#include "rdma/cma/board.h"

#include <sys/stat.h>

#include <cstddef>
#include <fstream>
#include <vector>

#include "rdma/system.h"
#include "rdma/token_text.h"
#include "rdmasync/error.h"
#include "rdmasync/number.h"

namespace rdmasync::rdma {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> fields;
  for (;;) {
    const std::size_t end = text.find(separator);
    fields.push_back(text.substr(0, end));
    if (end == std::string_view::npos) {
      return fields;
    }
    text.remove_prefix(end + 1);
  }
}

}  // namespace

std::string CmaEndpoint::print() const {
  return host + ':' + std::to_string(pid) + ':' + std::to_string(board) + ':' + to_text(nonce);
}

CmaEndpoint CmaEndpoint::parse(std::string_view text) {
  const std::vector<std::string_view> fields = split(text, ':');
  if (fields.size() == 4) {
    const auto pid = to_number<pid_t>(fields[1]);
    const auto board = to_number<std::uint64_t>(fields[2]);
    const auto nonce = token_from_text(fields[3]);
    if (pid && *pid > 0 && board && nonce) {
      return {.host = std::string(fields[0]), .pid = *pid, .board = *board, .nonce = *nonce};
    }
  }
  throw Error(Errc::kProtocol, "not an endpoint of the cma fabric: " + std::string(text));
}

std::string cma_host() {
  std::string boot_id;
  std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), boot_id);
  struct stat pid_namespace {};
  if (boot_id.empty() || stat("/proc/self/ns/pid", &pid_namespace) != 0) {
    throw Error(Errc::kResources,
                with_errno("the cma fabric cannot tell by /proc which host this is"));
  }
  return boot_id + '/' + std::to_string(pid_namespace.st_ino);
}

}  // namespace rdmasync::rdma

#include "rdma/cma/peer.h"

#include <poll.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <string>

#include "rdma/system.h"

namespace rdmasync::rdma {
namespace {

iovec remote_bytes(std::uint64_t address, std::size_t length) {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): an address of another process
  return {reinterpret_cast<void*>(address), length};
}

bool read_object(int pid, std::uint64_t address, void* object, std::size_t size) {
  const iovec local{object, size};
  const iovec remote = remote_bytes(address, size);
  return process_vm_readv(pid, &local, 1, &remote, 1, 0) == static_cast<ssize_t>(size);
}

std::string process_text(int pid) {
  return "process " + std::to_string(pid);
}

Error no_permission(int pid) {
  return {Errc::kRefused,
          "no permission to read the memory of " + process_text(pid) +
              ": run both processes as the same user with kernel.yama.ptrace_scope 0, or give this "
              "one CAP_SYS_PTRACE, or use another fabric"};
}

Error not_the_owner(int pid) {
  return {Errc::kRefused, process_text(pid) + " is not (any more) the one that sent this endpoint"};
}

Error owner_exited(int pid) {
  return {Errc::kPeerLost, process_text(pid) + " has exited"};
}

Error session_ended(int pid) {
  return {Errc::kPeerLost, process_text(pid) + " has ended this session"};
}

Error not_registered(int pid) {
  return {Errc::kAccess, "read of memory that " + process_text(pid) + " has not registered"};
}

}  // namespace

CmaPeer::CmaPeer(const CmaEndpoint& endpoint, const Token& token)
    : pid_(endpoint.pid), pidfd_(static_cast<int>(syscall(SYS_pidfd_open, endpoint.pid, 0))) {
  if (!pidfd_) {
    throw Error(Errc::kRefused, with_errno("cannot watch " + process_text(pid_)));
  }
  find_session(endpoint, token);
  if (!alive()) {
    throw not_the_owner(pid_);
  }
}

void CmaPeer::find_session(const CmaEndpoint& endpoint, const Token& token) {
  const auto board = std::make_unique<CmaBoard>();
  if (!read_object(pid_, endpoint.board, board.get(), sizeof(CmaBoard))) {
    throw errno == EPERM ? no_permission(pid_) : not_the_owner(pid_);
  }
  if (board->magic != CmaBoard::kMagic || board->nonce != endpoint.nonce) {
    throw not_the_owner(pid_);
  }
  const auto* session =
      std::find_if(board->sessions.begin(), board->sessions.end(),
                   [&](const CmaSession& each) { return each.serial != 0 && each.token == token; });
  if (session == board->sessions.end()) {
    throw Error(Errc::kRefused, process_text(pid_) + " does not know this session's token");
  }
  const auto index = static_cast<std::size_t>(session - board->sessions.begin());
  entries_ = board->entries;
  keys_ = board->keys;
  serial_ = session->serial;
  session_ = endpoint.board + offsetof(CmaBoard, sessions) + index * sizeof(CmaSession) +
             offsetof(CmaSession, serial);
}

std::optional<Error> CmaPeer::read(std::byte* into, std::uint64_t remote, std::uint32_t rkey,
                                   std::size_t length) const {
  RegionEntry entry{};
  std::uint64_t serial = 0;
  const std::array<iovec, 3> to{iovec{into, length}, iovec{&entry, sizeof(entry)},
                                iovec{&serial, sizeof(serial)}};
  const std::array<iovec, 3> from{
      remote_bytes(remote, length),
      remote_bytes(entries_ + keys_.index(rkey) * sizeof(RegionEntry), sizeof(entry)),
      remote_bytes(session_, sizeof(serial))};
  // The kernel copies in this order. Keys are never used twice, so an entry that stands after the
  // data was copied also stood before, and the data was the region's.
  const ssize_t copied = process_vm_readv(pid_, to.data(), to.size(), from.data(), from.size(), 0);

  // The pid may have been given to another process since, but not while the owner lived.
  if (!alive()) {
    return owner_exited(pid_);
  }
  if (copied != static_cast<ssize_t>(length + sizeof(entry) + sizeof(serial))) {
    return session_stands() ? not_registered(pid_) : session_ended(pid_);
  }
  if (serial != serial_) {
    return session_ended(pid_);
  }
  if (!entry.allows(rkey, remote, length)) {
    return not_registered(pid_);
  }
  return std::nullopt;
}

bool CmaPeer::alive() const {
  pollfd exited{pidfd_.get(), POLLIN, 0};
  return ::poll(&exited, 1, 0) == 0;
}

bool CmaPeer::session_stands() const {
  std::uint64_t serial = 0;
  return read_object(pid_, session_, &serial, sizeof(serial)) && serial == serial_;
}

}  // namespace rdmasync::rdma

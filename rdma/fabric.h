#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rdmasync/error.h"

/// One-sided reads of another process's memory: what the module sees of every fabric.
///
/// An owner registers memory, listens, and does nothing more: its peers read by address and rkey.
/// Nothing here knows of Redis.
namespace rdmasync::rdma {

/// A random 128-bit secret that names one session. The owner admits it, the reader presents it.
using Token = std::array<std::byte, 16>;

/// A token from the system's random source. Throws Error(kResources) if there is none.
Token random_token();

enum class Access {
  kRemoteRead,  ///< peers may read it
  kLocalWrite,  ///< reads may be delivered into it
};

/// The keys of registered memory: one, or one for each of its parts where a device limits how much
/// a key is good for. Does not own them.
struct PartKeys {
  std::uint32_t first = 0;
  std::span<const std::uint32_t> further = {};
  std::size_t part_size = SIZE_MAX;  ///< bytes of every part but the last
  std::uint64_t start = 0;           ///< address of the first part; of no interest if it is alone

  /// Of the part with that address; outside of all, one that does not open it.
  std::uint32_t at(std::uint64_t address) const {
    const auto index = std::min<std::uint64_t>((address - start) / part_size, further.size());
    return index == 0 ? first : further[index - 1];
  }
  /// Bytes from an address to the end of its part.
  std::size_t left(std::uint64_t address) const {
    return part_size - (address - start) % part_size;
  }
};

/// Registered memory; deregistered when destroyed. It does not own the bytes.
///
/// Whoever owns the bytes may free them while the region is registered: reads then deliver stale or
/// torn bytes or fail with Errc::kAccess, and neither process is harmed.
class MemoryRegion {
 public:
  MemoryRegion() = default;
  MemoryRegion(const MemoryRegion&) = delete;
  MemoryRegion& operator=(const MemoryRegion&) = delete;
  virtual ~MemoryRegion() = default;

  /// What a peer must present with every read of this region. Valid as long as the region.
  virtual PartKeys rkeys() const = 0;
};

/// One read to post: `length` bytes at `remote` in the peer, to `into` here.
struct Read {
  std::uint64_t id = 0;  ///< the caller's; comes back in the Completion
  std::byte* into = nullptr;
  const MemoryRegion* local = nullptr;  ///< registered kLocalWrite, covers [into, into + length)
  std::uint64_t remote = 0;             ///< address in the peer's process
  PartKeys rkeys{};                     ///< of the peer's region; used until post() returns
  std::size_t length = 0;
};

/// The end of one posted read. Until it is polled, `into` belongs to the fabric.
struct Completion {
  std::uint64_t id = 0;
  std::optional<Error> error;  ///< empty: every byte has arrived
};

/// The reader's end. For one thread at a time.
///
/// A read that fails with kAccess leaves the connection usable where the fabric can do so; after
/// kPeerLost every outstanding and every later read fails with kPeerLost. No read stays outstanding
/// for ever: a lost peer fails all of them within ConnectOptions::peer_timeout_ms.
/// Destroying it ends outstanding reads first: afterwards nothing is written to any `into`.
class Connection {
 public:
  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  virtual ~Connection() = default;

  /// Starts a read and returns at once; any number may be outstanding. Reads may complete in any
  /// order; large ones are split inside, and complete once. A length of 0 completes without
  /// touching the peer.
  virtual void post(const Read& read) = 0;

  /// Takes up to `out.size()` completions and returns their number; never blocks.
  virtual std::size_t poll(std::span<Completion> out) = 0;

  /// Readable while poll() has something to return. Owned by the connection.
  virtual int fd() const = 0;
};

/// The owner's end: answers (or lets the hardware answer) the reads of admitted sessions.
class Listener {
 public:
  Listener() = default;
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  virtual ~Listener() = default;

  /// What a reader needs to connect, printable, without spaces; opaque to everybody else.
  virtual std::string endpoint() const = 0;

  /// Lets a session in, or ends it with its connections. Any thread, never blocks on a peer.
  virtual void admit(const Token& token) = 0;
  virtual void revoke(const Token& token) = 0;
};

struct ListenOptions {
  /// Address of the network to listen on; empty: all of them. Verbs listens on one: where it has no
  /// RDMA device, on the first that has.
  std::string bind;
};

struct ConnectOptions {
  std::string host;  ///< where the owner is, for endpoints that name no address of their own
  std::string endpoint;
  Token token{};
  int peer_timeout_ms = 10'000;
};

/// A way to reach another process's memory. Every method may be called from any thread.
class Fabric {
 public:
  Fabric() = default;
  Fabric(const Fabric&) = delete;
  Fabric& operator=(const Fabric&) = delete;
  virtual ~Fabric() = default;

  /// "verbs", "cma" or "tcp".
  virtual std::string_view name() const = 0;

  /// Whether memory that this process goes on using may be registered where it is. If not, because
  /// after a fork() the child would miss it or the device see it torn, register only memory that
  /// serves nothing else.
  virtual bool may_register_in_place() const { return true; }

  /// Registers [bytes.data(), +size). Listen or connect first: that decides the device, of which a
  /// fabric has one. Throws Error(kResources) when a limit is reached.
  virtual std::unique_ptr<MemoryRegion> register_memory(std::span<std::byte> bytes,
                                                        Access access) = 0;

  /// Throws Error(kRefused) when the address cannot be bound.
  virtual std::unique_ptr<Listener> listen(const ListenOptions& options) = 0;

  /// Blocks until connected, at most peer_timeout_ms. Throws Error(kRefused) when this fabric does
  /// not reach that owner (another host, no permission, unknown token): another fabric may.
  virtual std::unique_ptr<Connection> connect(const ConnectOptions& options) = 0;
};

/// The fabrics of this build, best first.
std::vector<std::string_view> fabric_names();

/// Makes a fabric by name. Throws Error(kUsage) for an unknown name and Error(kRefused), with the
/// cause and the remedy, where this machine cannot run it.
std::unique_ptr<Fabric> make_fabric(std::string_view name);

}  // namespace rdmasync::rdma

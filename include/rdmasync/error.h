#pragma once

#include <stdexcept>
#include <string>

namespace rdmasync {

/// What kind of thing went wrong, for code that must react differently; people read `what()`.
enum class Errc {
  kUsage,       ///< the caller asked for something that can never work (bad argument, bad config)
  kRefused,     ///< the peer or the system said no: permission, limits, wrong password
  kLogin,       ///< the peer wants a login first
  kBusy,        ///< the peer cannot do that now, and will be able to
  kPermission,  ///< the peer does not let this user do that
  kUnknownCommand,  ///< the peer has no such command
  kAccess,          ///< a one-sided read hit memory that is not registered (any more)
  kPeerLost,        ///< the peer died, hung beyond its deadline, or the network to it is gone
  kProtocol,        ///< the peer speaks, but not what was agreed
  kResources,       ///< memory, file descriptors or registrations ran out
  kCancelled,       ///< stopped on purpose; nothing is wrong
};

/// The one error type of the project. `what()` names the cause and, where there is one, the remedy.
///
/// Thrown inside the module, never across a callback that Redis calls: `module/redis/guard.h`
/// turns it into a reply or a log line there.
class Error : public std::runtime_error {
 public:
  Error(Errc code, const std::string& message) : std::runtime_error(message), code_(code) {}
  Errc code() const noexcept { return code_; }

 private:
  Errc code_;
};

}  // namespace rdmasync

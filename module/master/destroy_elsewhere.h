#pragma once

#include <memory>
#include <utility>

#include "rdma/thread.h"
#include "rdmasync/error.h"

namespace rdmasync::master {

/// Destroys what nobody else owns on a thread of its own, as that takes milliseconds: here only if
/// there is no thread to be had.
inline void destroy_elsewhere(std::shared_ptr<void> last) noexcept {
  try {
    rdma::start_thread("rdmasync-free", [owned = std::move(last)](const std::stop_token&) mutable {
      owned.reset();
    }).detach();
  } catch (const Error&) {  // NOLINT(bugprone-empty-catch): it is destroyed by now
  }
}

}  // namespace rdmasync::master

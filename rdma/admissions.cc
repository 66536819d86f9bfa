#include "rdma/admissions.h"

#include <algorithm>
#include <cstddef>

namespace rdmasync::rdma {
namespace {

// In constant time: how long a comparison takes must not help a stranger to guess.
bool equal(const Token& a, const Token& b) {
  std::byte difference{0};
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference |= a[i] ^ b[i];
  }
  return difference == std::byte{0};
}

}  // namespace

void Admissions::admit(const Token& token) {
  const std::lock_guard lock(mutex_);
  admitted_.push_back({token, next_serial_++});
}

void Admissions::revoke(const Token& token) {
  const std::lock_guard lock(mutex_);
  std::erase_if(admitted_, [&](const Entry& entry) { return entry.token == token; });
}

std::optional<std::uint64_t> Admissions::find(const Token& token) const {
  const std::lock_guard lock(mutex_);
  for (const Entry& entry : admitted_) {
    if (equal(entry.token, token)) {
      return entry.serial;
    }
  }
  return std::nullopt;
}

bool Admissions::stands(std::uint64_t serial) const {
  const std::lock_guard lock(mutex_);
  return std::any_of(admitted_.begin(), admitted_.end(),
                     [&](const Entry& entry) { return entry.serial == serial; });
}

}  // namespace rdmasync::rdma

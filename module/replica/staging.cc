#include "module/replica/staging.h"

#include <utility>

#include "module/fault.h"

namespace rdmasync::replica {

void Staging::put(std::uint32_t db, std::string_view key, Staged staged) {
  Keys& keys = databases_[db];
  const auto [at, added] = keys.try_emplace(key, std::move(staged));
  // The old key's bytes may not outlive the old record's; but records are kept to the end.
  if (!added && !planted(Fault::kFirstWins)) at->second = std::move(staged);
}

void Staging::erase(std::uint32_t db, std::string_view key) {
  const auto found = databases_.find(db);
  if (found != databases_.end()) found->second.erase(key);
}

void Staging::flush(std::uint32_t db) {
  if (db == log_format::kAllDatabases) {
    databases_.clear();
  } else {
    databases_.erase(db);
  }
}

void Staging::swap(std::uint32_t a, std::uint32_t b) {
  std::swap(databases_[a], databases_[b]);
}

void Staging::set_functions(std::string_view opcodes, std::shared_ptr<Fetched> fetched) {
  functions_ = opcodes;
  remote_functions_ = std::move(fetched);
}

std::string_view Staging::functions() const {
  return remote_functions_ ? std::string_view(remote_functions_->bytes) : functions_;
}

std::size_t Staging::keys() const {
  std::size_t sum = 0;
  for (const auto& [db, keys] : databases_) sum += keys.size();
  return sum;
}

}  // namespace rdmasync::replica

#include "module/replica/staging.h"

#include <algorithm>
#include <utility>

#include "module/fault.h"
#include "module/log/elements.h"
#include "rdmasync/error.h"

namespace rdmasync::replica {

namespace {

[[noreturn]] void refuse_part() {
  throw Error(Errc::kProtocol, "the export log has a part of a key that is not there");
}

}  // namespace

void StagedKeys::put(std::string_view key, Incoming incoming) {
  const auto [at, added] = places_.try_emplace(key, rows_.size());
  if (added) {
    rows_.push_back({key, std::move(incoming)});
    ++size_;
  } else if (!planted(Fault::kFirstWins)) {
    // The old key's bytes may not outlive the old record's; but records are kept to the end.
    Row& row = rows_[at->second];
    drop_parts(row);
    row.incoming = std::move(incoming);
  }
}

void StagedKeys::add_part(std::string_view key, Incoming part) {
  if (log::begins(part.entry)) {
    put(key, {.in_parts = true});
  }
  const auto found = places_.find(key);
  if (found == places_.end()) {
    refuse_part();
  }
  Row& row = rows_[found->second];
  row.has_parts = true;
  parts_[&row].push_back(std::move(part));
}

void StagedKeys::drop_parts(Row& row) {
  if (std::exchange(row.has_parts, false)) {
    parts_.erase(&row);
  }
}

void StagedKeys::erase(std::string_view key) {
  const auto found = places_.find(key);
  if (found == places_.end()) {
    return;
  }
  drop_parts(rows_[found->second]);
  rows_[found->second] = {{}, {}, false, false};
  places_.erase(found);
  --size_;
}

const Incoming* StagedKeys::find(std::string_view key) const {
  const auto found = places_.find(key);
  return found == places_.end() ? nullptr : &rows_[found->second].incoming;
}

void Staging::put(std::uint32_t db, std::string_view key, Incoming incoming) {
  databases_[db].put(key, std::move(incoming));
}

void Staging::add_part(std::uint32_t db, std::string_view key, Incoming part) {
  databases_[db].add_part(key, std::move(part));
}

void Staging::erase(std::uint32_t db, std::string_view key) {
  const auto found = databases_.find(db);
  if (found != databases_.end()) {
    found->second.erase(key);
  }
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

void Staging::set_functions(std::string_view payload, std::shared_ptr<Landing> landing) {
  functions_ = payload;
  remote_functions_ = std::move(landing);
}

void Staging::given(std::shared_ptr<const void> block, std::size_t) {
  if (blocks_.empty() || blocks_.back() != block) {
    blocks_.push_back(std::move(block));
  }
}

void Staging::landed(const std::shared_ptr<Landing>& landing) {
  if (landing->state == Landing::State::kTorn) {
    torn_.push_back(landing);
  }
}

void Staging::seal() {
  const auto staged = [](const auto& torn) { return torn.use_count() > 1; };
  if (std::any_of(torn_.begin(), torn_.end(), staged)) {
    throw Error(Errc::kAccess, kTornText);
  }
  for (auto& [db, keys] : databases_) {
    keys.seal();
  }
}

std::string_view Staging::functions() const {
  return remote_functions_ ? std::string_view(remote_functions_->bytes) : functions_;
}

std::size_t Staging::keys() const {
  std::size_t sum = 0;
  for (const auto& [db, keys] : databases_) {
    sum += keys.size();
  }
  return sum;
}

}  // namespace rdmasync::replica

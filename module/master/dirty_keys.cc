#include "module/master/dirty_keys.h"

#include "rdmasync/log_format.h"

namespace rdmasync::master {

void DirtyKeys::mark(std::uint32_t db, std::string_view key) {
  written_.insert(db, key);
  if (any_hidden()) {
    hidden_.erase(db, key);
  }
}

void DirtyKeys::unmark(std::uint32_t db, std::string_view key) {
  written_.erase(db, key);
  round_.erase(db, key);
}

void DirtyKeys::mark_silent(std::string_view key, bool groups_only) {
  const auto found = silent_.find(key);
  if (found == silent_.end()) {
    silent_.emplace(key, groups_only);
  } else {
    found->second = found->second && groups_only;
  }
}

void DirtyKeys::swap(std::uint32_t a, std::uint32_t b) {
  written_.swap(a, b);
  round_.swap(a, b);
  hidden_.swap(a, b);
}

void DirtyKeys::flush(std::uint32_t db) {
  written_.flush(db);
  round_.flush(db);
  hidden_.flush(db);
}

void DirtyKeys::begin_round() {
  round_.merge(written_);
}

void DirtyKeys::Set::insert(std::uint32_t db, std::string_view key) {
  Names& names = by_db_[db];
  if (names.find(key) != names.end()) {
    return;
  }
  names.emplace(key);
  ++size_;
}

void DirtyKeys::Set::erase(std::uint32_t db, std::string_view key) {
  Names& names = by_db_[db];
  if (const auto found = names.find(key); found != names.end()) {
    names.erase(found);
    --size_;
  }
}

void DirtyKeys::Set::swap(std::uint32_t a, std::uint32_t b) {
  std::swap(by_db_[a], by_db_[b]);
}

void DirtyKeys::Set::flush(std::uint32_t db) {
  if (db == log_format::kAllDatabases) {
    by_db_.clear();
    size_ = 0;
  } else if (const auto node = by_db_.extract(db)) {
    size_ -= node.mapped().size();
  }
}

void DirtyKeys::Set::merge(Set& other) {
  size_ = 0;
  for (auto& [db, names] : other.by_db_) {
    by_db_[db].merge(names);
  }
  for (const auto& [db, names] : by_db_) {
    size_ += names.size();
  }
  other.flush(log_format::kAllDatabases);
}

std::optional<DirtyKeys::Key> DirtyKeys::Set::take() {
  while (!by_db_.empty()) {
    const auto db = by_db_.begin();
    if (db->second.empty()) {
      by_db_.erase(db);
      continue;
    }
    --size_;
    auto name = db->second.extract(db->second.begin());
    return Key{db->first, std::move(name.value())};
  }
  return std::nullopt;
}

}  // namespace rdmasync::master

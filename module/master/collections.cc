#include "module/master/collections.h"

#include <algorithm>
#include <functional>

#include "module/fault.h"

namespace rdmasync::master {

bool Collections::add(std::uint32_t db, std::string_view name, Collection collection) {
  const Key key{db, name};
  if (stopped_ || refused_.contains(key)) {
    return false;
  }
  forget(db, name);
  known_.emplace(key, std::move(collection));
  unread_.insert(key);
  return true;
}

void Collections::forget(std::uint32_t db, std::string_view name) {
  if (!any()) {
    return;
  }
  const Key key{db, name};
  known_.erase(key);
  unread_.erase(key);
  times_.erase(key);
  changed_.erase(key);
  round_.erase(key);
}

void Collections::swap(std::uint32_t a, std::uint32_t b) {
  swap_databases(known_, a, b);
  swap_databases(unread_, a, b);
  swap_databases(times_, a, b);
  swap_databases(changed_, a, b);
  swap_databases(round_, a, b);
  swap_databases(refused_, a, b);
}

void Collections::flush(std::uint32_t db) {
  const auto is_of_it = [db](const Key& key) {
    return db == log_format::kAllDatabases || key.first == db;
  };
  const auto entry_is = [&](const auto& entry) { return is_of_it(entry.first); };
  std::erase_if(known_, entry_is);
  std::erase_if(unread_, is_of_it);
  std::erase_if(times_, entry_is);
  std::erase_if(changed_, entry_is);
  std::erase_if(round_, entry_is);
  std::erase_if(refused_, is_of_it);
}

std::vector<Collections::Key> Collections::stop() {
  std::set<Key> left = std::exchange(unread_, {});
  for (const ByKey& keys : {std::cref(changed_), std::cref(round_)}) {
    for (const auto& [key, names] : keys) {
      left.insert(key);
    }
  }
  stopped_ = true;
  flush(log_format::kAllDatabases);
  return {left.begin(), left.end()};
}

Collections::Collection* Collections::find(const Key& key) {
  const auto found = known_.find(key);
  return found == known_.end() ? nullptr : &found->second;
}

void Collections::all_read(const Key& key) {
  if (Collection* const collection = find(key)) {
    collection->cursor.reset();
    collection->place.reset();
    unread_.erase(key);
  }
}

bool Collections::ends(const Key& key, std::string_view field, std::int64_t at_ms) {
  if (times_[key].emplace(at_ms, field).second) {
    bytes_ += field.size() + kBytesOfName;
  }
  return !is_too_much(key);
}

/// And does not try it again with that key.
bool Collections::is_too_much(const Key& key) {
  if (bytes_ <= kMostBytes) {
    return false;
  }
  refused_.insert(key);
  const auto [db, name] = key;
  forget(db, name);
  return true;
}

void Collections::remember(Names& names, std::string_view name) {
  if (names.emplace(name).second) {
    bytes_ += name.size() + kBytesOfName;
  }
}

bool Collections::written(std::uint32_t db, std::string_view name, const NamedChange* change,
                          std::int64_t now_ms) {
  const auto known = known_.find(KeyNameView{db, name});
  if (known == known_.end()) {
    return false;
  }
  if (change == nullptr) {
    if (planted(Fault::kUnknownTrusted)) {
      return true;
    }
    forget(db, name);
    return false;
  }
  const Key& key = known->first;
  if (known->second.place) {
    known->second.place->moved = true;
  }
  Names& names = changed_[key];
  for (const std::string& element : change->elements) {
    remember(names, element);
  }
  if (change->ended) {
    Times& times = times_[key];
    while (!times.empty() && times.begin()->first <= now_ms) {
      remember(names, times.begin()->second);
      times.erase(times.begin());
    }
  }
  return !is_too_much(key);
}

void Collections::merge(ByKey& into, ByKey::node_type node) {
  if (const auto there = into.find(node.key()); there != into.end()) {
    there->second.merge(node.mapped());
  } else {
    into.insert(std::move(node));
  }
}

void Collections::begin_round() {
  while (!changed_.empty()) {
    merge(round_, changed_.extract(changed_.begin()));
  }
}

std::optional<Collections::Changed> Collections::next_in_round(std::size_t most) {
  if (round_.empty()) {
    if (changed_.empty() && times_.empty()) {
      bytes_ = 0;
    }
    return std::nullopt;
  }
  auto& [key, names] = *round_.begin();
  Changed changed{key, {}};
  while (!names.empty() && changed.elements.size() < most) {
    changed.elements.push_back(std::move(names.extract(names.begin()).value()));
  }
  if (planted(Fault::kElementForgotten) && !changed.elements.empty()) {
    changed.elements.pop_back();
  }
  if (names.empty()) {
    round_.erase(round_.begin());
  }
  return changed;
}

void Collections::put_back(Changed changed) {
  Names& names = changed_[changed.key];
  for (std::string& element : changed.elements) {
    names.insert(std::move(element));
  }
}

std::size_t Collections::changed_elements() const {
  std::size_t count = 0;
  for (const ByKey& keys : {std::cref(changed_), std::cref(round_)}) {
    for (const auto& [key, names] : keys) {
      count += std::max<std::size_t>(names.size(), 1);
    }
  }
  return count;
}

}  // namespace rdmasync::master

#include "module/master/lists.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "module/fault.h"
#include "rdmasync/log_format.h"

namespace rdmasync::master {

using Place = log::ListElement::Place;

namespace {

// More than that, and reading all of the list again costs about as much.
constexpr std::size_t kMostReplaced = 64U << 10;

}  // namespace

std::size_t Lists::List::missing() const {
  return static_cast<std::size_t>(from - left) + static_cast<std::size_t>(right - to) +
         replaced.size();
}

bool Lists::List::complete() const {
  return missing() == 0 && there_from == from && there_to == to;
}

void Lists::List::push(End end, std::int64_t count) {
  if (end == End::kLeft) {
    left -= count;
  } else {
    right += count;
  }
}

/// What is put in the place of something that was published is not.
void Lists::List::pop(End end, std::int64_t count) {
  if (end == End::kLeft) {
    left += count;
    from = std::max(from, left);
    to = std::max(to, from);
    replaced.erase(replaced.begin(), replaced.lower_bound(from));
  } else {
    right -= count;
    to = std::min(to, right);
    from = std::min(from, to);
    replaced.erase(replaced.lower_bound(to), replaced.end());
  }
}

/// As LTRIM does.
bool Lists::List::trim(std::int64_t first, std::int64_t last) {
  const std::int64_t all = length();
  first = std::max<std::int64_t>(first < 0 ? first + all : first, 0);
  last = std::min(last < 0 ? last + all : last, all - 1);
  if (first > last) {
    return false;  // the key is gone
  }
  pop(End::kRight, all - 1 - last);
  pop(End::kLeft, first);
  return true;
}

bool Lists::List::replace(std::int64_t index) {
  const std::int64_t position = index < 0 ? right + index : left + index;
  if (position >= from && position < to) {
    replaced.insert(position);
  }
  return replaced.size() <= kMostReplaced;
}

/// False if it cannot be all that has happened.
bool Lists::List::apply(const ListChange& change, std::int64_t length_now) {
  const std::int64_t longer = length_now - length();
  const bool moved = change.pushed && change.popped;
  if (moved) {
    pop(*change.popped, 1);
    push(*change.pushed, 1);
  } else if (change.pushed) {
    if (longer <= 0) {
      return false;
    }
    push(*change.pushed, longer);
  } else if (change.popped) {
    if (longer >= 0) {
      return false;
    }
    pop(*change.popped, -longer);
  }
  if (change.kept && !trim(change.kept->first, change.kept->last)) {
    return false;
  }
  if (change.replaced && !replace(*change.replaced)) {
    return false;
  }
  return length() == length_now;
}

bool Lists::add(std::uint32_t db, std::string_view name, std::size_t length) {
  if (stopped_) {
    return false;
  }
  const Key key{db, name};
  forget(db, name);
  known_.emplace(key, List{.left = 0,
                           .right = static_cast<std::int64_t>(length),
                           .from = 0,
                           .to = 0,
                           .there_from = 0,
                           .there_to = 0,
                           .for_now = length});
  unread_.insert(key);
  return true;
}

void Lists::forget(std::uint32_t db, std::string_view name) {
  if (!any()) {
    return;
  }
  const Key key{db, name};
  known_.erase(key);
  unread_.erase(key);
  changed_.erase(key);
  round_.erase(key);
}

void Lists::swap(std::uint32_t a, std::uint32_t b) {
  swap_databases(known_, a, b);
  swap_databases(unread_, a, b);
  swap_databases(changed_, a, b);
  swap_databases(round_, a, b);
}

void Lists::flush(std::uint32_t db) {
  const auto is_of_it = [db](const Key& key) {
    return db == log_format::kAllDatabases || key.first == db;
  };
  std::erase_if(known_, [&](const auto& entry) { return is_of_it(entry.first); });
  std::erase_if(unread_, is_of_it);
  std::erase_if(changed_, is_of_it);
  std::erase_if(round_, is_of_it);
}

std::vector<Lists::Key> Lists::stop() {
  std::set<Key> left;
  for (std::set<Key>* const keys : {&unread_, &changed_, &round_}) {
    left.merge(*keys);
  }
  stopped_ = true;
  flush(log_format::kAllDatabases);
  return {left.begin(), left.end()};
}

bool Lists::written(const KeyNameView& key, const NamedChange& change, std::size_t length) {
  const auto known = known_.find(key);
  const bool of_list = change.list || change.elements.empty();
  if (!of_list ||
      !known->second.apply(change.list.value_or(ListChange{}), static_cast<std::int64_t>(length))) {
    forget(key.first, key.second);
    return false;
  }
  changed_.insert(known->first);
  return true;
}

void Lists::begin_round() {
  round_.merge(changed_);
  changed_.clear();
  for (const Key& key : round_) {
    List& list = known_.at(key);
    list.for_now = list.missing();
  }
}

std::optional<Lists::Key> Lists::next_in_round() const {
  return round_.empty() ? std::nullopt : std::optional(*round_.begin());
}

std::optional<Lists::Piece> Lists::next_piece(const Key& key, std::size_t length,
                                              std::size_t most) const {
  const auto known = known_.find(key);
  if (known == known_.end() || known->second.length() != static_cast<std::int64_t>(length)) {
    return std::nullopt;
  }
  const List& list = known->second;
  Piece piece;
  std::int64_t from = list.from;
  std::int64_t to = list.to;
  if (from == to) {  // nothing is there of what was published
    piece.head.begins = true;
    from = to = list.left;
  } else {
    piece.head.from_left =
        planted(Fault::kEndForgotten) ? 0 : static_cast<std::uint64_t>(from - list.there_from);
    piece.head.from_right = static_cast<std::uint64_t>(list.there_to - to);
  }
  const auto add = [&](std::int64_t position) {
    piece.elements.push_back({static_cast<std::uint64_t>(position - list.left),
                              static_cast<std::uint64_t>(position - from)});
  };
  const auto at_most = static_cast<std::int64_t>(most);
  if (!list.replaced.empty()) {
    piece.place = Place::kInPlace;
    const auto size = std::min(at_most, std::ssize(list.replaced));
    std::for_each_n(list.replaced.begin(), size, add);
  } else if (to < list.right) {
    piece.place = Place::kRightEnd;
    for (std::int64_t at = to; at < std::min(list.right, to + at_most); ++at) {
      add(at);
    }
  } else {
    piece.place = Place::kLeftEnd;
    for (std::int64_t at = from - 1; at >= std::max(list.left, from - at_most); --at) {
      add(at);
    }
  }
  return piece;
}

void Lists::published(const Key& key, const Piece& piece, std::size_t elements) {
  const auto known = known_.find(key);
  if (known == known_.end()) {
    return;
  }
  List& list = known->second;
  if (piece.head.begins) {
    list.from = list.to = list.left;
  }
  const auto count = static_cast<std::int64_t>(elements);
  switch (piece.place) {
    case Place::kInPlace:
      list.replaced.erase(list.replaced.begin(), std::next(list.replaced.begin(), count));
      break;
    case Place::kRightEnd:
      list.to += count;
      break;
    case Place::kLeftEnd:
      list.from -= count;
      break;
  }
  list.there_from = list.from;
  list.there_to = list.to;
  list.for_now -= std::min(list.for_now, elements);
  if (list.complete()) {
    changed_.erase(key);
  } else if (list.for_now > 0) {
    return;
  } else {
    changed_.insert(key);
  }
  unread_.erase(key);
  round_.erase(key);
}

std::size_t Lists::changes() const {
  std::size_t count = 0;
  for (const std::set<Key>& keys : {std::cref(changed_), std::cref(round_)}) {
    for (const Key& key : keys) {
      count += std::max<std::size_t>(known_.at(key).missing(), 1);
    }
  }
  return count;
}

}  // namespace rdmasync::master

#include "module/master/partial_keys.h"

#include <algorithm>
#include <functional>

#include "module/fault.h"
#include "rdmasync/log_format.h"

namespace rdmasync::master {

std::vector<ByteRange> PartialKeys::Changed::ranges(std::uint64_t length_now) const {
  std::vector<ByteRange> found;
  const auto add = [&](std::uint64_t begin, std::uint64_t end) {
    if (!found.empty() && begin <= found.back().end) {
      found.back().end = std::max(found.back().end, end);
    } else {
      found.push_back({begin, end});
    }
  };
  for (const std::uint64_t block : blocks) {
    if (block * kBlock < length) {
      add(block * kBlock, std::min((block + 1) * kBlock, length));
    }
  }
  if (length < length_now) {
    add(length, length_now);
  }
  if (planted(Fault::kShortRange)) {
    for (ByteRange& range : found) {
      --range.end;
    }
  }
  return found;
}

void PartialKeys::add(std::uint32_t db, std::string_view name, std::string_view bytes) {
  if (stopped_) {
    return;
  }
  const Key key{db, name};
  changed_.erase(key);
  round_.erase(key);
  known_[key] = {bytes.data(), bytes.size()};
}

void PartialKeys::forget(std::uint32_t db, std::string_view name) {
  if (!any()) {
    return;
  }
  const Key key{db, name};
  changed_.erase(key);
  round_.erase(key);
  known_.erase(key);
}

void PartialKeys::swap(std::uint32_t a, std::uint32_t b) {
  swap_databases(known_, a, b);
  swap_databases(changed_, a, b);
  swap_databases(round_, a, b);
}

void PartialKeys::flush(std::uint32_t db) {
  const auto gone = [db](const auto& entry) {
    return db == log_format::kAllDatabases || entry.first.first == db;
  };
  std::erase_if(known_, gone);
  std::erase_if(changed_, gone);
  std::erase_if(round_, gone);
}

std::vector<PartialKeys::Key> PartialKeys::stop() {
  begin_round();
  std::vector<Key> changed;
  for (const auto& [key, blocks] : round_) {
    changed.push_back(key);
  }
  stopped_ = true;
  round_.clear();
  known_.clear();
  return changed;
}

bool PartialKeys::written(std::uint32_t db, std::string_view name, const NamedChange* change) {
  const auto known = known_.find(KeyNameView{db, name});
  if (known == known_.end()) {
    return false;
  }
  if (change == nullptr) {
    forget(db, name);
    return false;
  }
  Blocks& blocks = changed_[known->first];
  const auto mark = [&blocks](std::uint64_t begin, std::uint64_t end) {
    for (std::uint64_t block = begin / kBlock; block * kBlock < end; ++block) {
      blocks.insert(block);
    }
  };
  for (const ByteRange& range : change->ranges) {
    mark(range.begin, range.end);
  }
  return true;
}

void PartialKeys::merge(ByKey& into, ByKey::node_type node) {
  if (const auto there = into.find(node.key()); there != into.end()) {
    there->second.merge(node.mapped());
  } else {
    into.insert(std::move(node));
  }
}

void PartialKeys::begin_round() {
  while (!changed_.empty()) {
    merge(round_, changed_.extract(changed_.begin()));
  }
}

std::optional<PartialKeys::Changed> PartialKeys::next_in_round() {
  if (round_.empty()) {
    return std::nullopt;
  }
  auto node = round_.extract(round_.begin());
  const Facts& facts = known_.at(node.key());
  return Changed{std::move(node.key()), facts.address, facts.length, std::move(node.mapped())};
}

void PartialKeys::put_back(const Changed& changed) {
  changed_[changed.key].insert(changed.blocks.begin(), changed.blocks.end());
}

void PartialKeys::published(const Changed& changed, std::uint64_t length) {
  known_.at(changed.key).length = length;
}

std::uint64_t PartialKeys::changed_bytes() const {
  std::uint64_t blocks = 0;
  for (const ByKey& keys : {std::cref(changed_), std::cref(round_)}) {
    for (const auto& [key, its] : keys) {
      blocks += its.size();
    }
  }
  return blocks * kBlock;
}

}  // namespace rdmasync::master

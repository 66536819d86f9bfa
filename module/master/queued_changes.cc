#include "module/master/queued_changes.h"

#include <iterator>
#include <utility>

namespace rdmasync::master {

namespace {

// Clients may go away without a word. All that is queued is forgotten when it is more.
constexpr std::size_t kMostBytes = 16U << 20;
constexpr std::size_t kBytesOfChange = 256;
constexpr std::size_t kBytesOfElement = 32;

// Each event of a key tells of all its names: a transaction that has more is too slow to follow.
constexpr std::size_t kMostWork = 4096;

std::size_t bytes_of(const NamedChange& change) {
  std::size_t bytes = kBytesOfChange + change.key.size();
  for (const std::string& element : change.elements) {
    bytes += kBytesOfElement + element.size();
  }
  return bytes;
}

}  // namespace

void QueuedChanges::begin(Client client) {
  queues_[client].clear();
  bytes_ += kBytesOfChange;
  drop_if_too_much();
}

void QueuedChanges::add(Client client, std::vector<NamedChange> changes) {
  const auto queue = queues_.find(client);
  if (queue == queues_.end()) {
    return;
  }
  for (NamedChange& change : changes) {
    bytes_ += bytes_of(change);
    queue->second.push_back(std::move(change));
  }
  drop_if_too_much();
}

void QueuedChanges::drop_if_too_much() {
  if (bytes_ > kMostBytes) {
    queues_.clear();
    bytes_ = 0;
  }
}

void QueuedChanges::run(Client client) {
  running_.clear();
  auto queue = queues_.extract(client);
  if (queues_.empty()) {
    bytes_ = 0;
  }
  if (queue.empty()) {
    return;
  }
  for (NamedChange& change : queue.mapped()) {
    OfKey& key = running_[change.key];
    add(key, std::move(change));
  }
}

void QueuedChanges::add(OfKey& key, NamedChange change) {
  if (change.list) {
    const auto& kept = change.list->kept;
    const auto& before = key.trimmed.list;
    key.trimmed_so = key.trimmed_so && kept && (!before || before->kept == kept);
    key.trimmed = std::move(change);
    return;
  }
  ++key.commands;
  key.events.insert(change.events.begin(), change.events.end());
  key.all.stream = key.all.stream || change.stream;
  key.all.ranges.insert(key.all.ranges.end(), change.ranges.begin(), change.ranges.end());
  std::move(change.elements.begin(), change.elements.end(), std::back_inserter(key.all.elements));
}

NamedChange* QueuedChanges::named(std::string_view event, std::string_view key) {
  const auto found = running_.find(key);
  if (found == running_.end() || event.empty()) {
    return nullptr;
  }
  OfKey& of_key = found->second;
  if (of_key.trimmed_so && of_key.trimmed.events.front() == event) {
    return &of_key.trimmed;
  }
  const std::size_t names = of_key.all.elements.size() + of_key.all.ranges.size();
  const bool few = of_key.commands * names <= kMostWork;
  return few && of_key.events.contains(event) ? &of_key.all : nullptr;
}

}  // namespace rdmasync::master

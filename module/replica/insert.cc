#include "module/replica/insert.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "module/fault.h"
#include "module/log/elements.h"
#include "module/replica/inserter.h"
#include "rdmasync/log_format.h"

namespace rdmasync::replica {

namespace {

// About a millisecond.
constexpr std::size_t kWorkOfStep = 1500;

std::size_t work_of(const Staging& staging) {
  std::size_t work = 0;
  for (const auto& [db, keys] : staging.databases()) {
    keys.for_each([&](std::string_view, const Incoming& incoming, const auto& parts) {
      work += work_of(incoming);
      for (const Incoming& part : parts) {
        work += work_of_part(part);
      }
    });
  }
  return work;
}

void put_with_parts(Inserter& inserter, std::string_view key, const Incoming& incoming,
                    const std::vector<Incoming>& parts) {
  if (!incoming.in_parts) {
    inserter.put(key, incoming);
  }
  for (const Incoming& part : parts) {
    inserter.add_part(key, part);
  }
  while (inserter.finish_streams()) {
  }
}

/// Applies changes in their order, the last one of a key wins.
class Applier {
 public:
  explicit Applier(const Suitability& suitability) : suitability_(suitability) {}

  void apply(const Change& change);
  void idle() { inserter_.give_turn(); }
  /// There are no more changes.
  void finish() {
    while (inserter_.finish_streams()) {
    }
  }
  /// Throws Error(kAccess) if the last value of a key is torn.
  void check_whole() const;

 private:
  void put(const Change& change);
  void add_part(const Change& change);
  void flush(std::uint32_t db);
  void swap(std::uint32_t a, std::uint32_t b);

  const Suitability& suitability_;
  Inserter inserter_{Inserter::Turns::kYield};
  std::set<std::uint32_t> databases_;  ///< in which something was put
  std::set<std::pair<std::uint32_t, std::string>> torn_;
};

void Applier::apply(const Change& change) {
  switch (change.kind) {
    case Change::Kind::kPut:
      return put(change);
    case Change::Kind::kPart:
      return add_part(change);
    case Change::Kind::kErase:
      torn_.erase({change.db, std::string(change.key)});
      inserter_.select(change.db);
      return inserter_.erase(change.key);
    case Change::Kind::kFlush:
      return flush(change.db);
    case Change::Kind::kSwap:
      return swap(change.db, change.other_db);
    case Change::Kind::kFunctions:
      const auto& landing = change.incoming.landing;
      return inserter_.functions(landing ? std::string_view(landing->bytes)
                                         : change.incoming.entry);
  }
}

void Applier::put(const Change& change) {
  const auto& landing = change.incoming.landing;
  if (landing && landing->state == Landing::State::kTorn) {
    torn_.emplace(change.db, change.key);
    return;
  }
  if (!torn_.empty()) {
    torn_.erase({change.db, std::string(change.key)});
  }
  suitability_.check(change.db, change.key, change.incoming);
  if (databases_.empty() || *databases_.rbegin() != change.db) {
    databases_.insert(change.db);
  }
  inserter_.select(change.db);
  inserter_.put(change.key, change.incoming);
}

void Applier::add_part(const Change& change) {
  if (log::begins(change.incoming.entry)) {
    suitability_.check_database(change.db);
    databases_.insert(change.db);
    torn_.erase({change.db, std::string(change.key)});
  }
  // Of a torn value there is nothing to change; it comes again, with that in it.
  if (torn_.empty() || !torn_.contains({change.db, std::string(change.key)})) {
    inserter_.select(change.db);
    inserter_.add_part(change.key, change.incoming);
  }
}

void Applier::flush(std::uint32_t db) {
  const bool all = db == log_format::kAllDatabases;
  std::erase_if(torn_, [&](const auto& key) { return all || key.first == db; });
  for (const std::uint32_t one : all ? databases_ : std::set{db}) {
    inserter_.select(one);
    inserter_.flush();
  }
}

void Applier::swap(std::uint32_t a, std::uint32_t b) {
  inserter_.swap(a, b);
  databases_.insert({a, b});
  decltype(torn_) swapped;
  for (const auto& [db, key] : torn_) {
    swapped.emplace(db == a ? b : db == b ? a : db, key);
  }
  torn_ = std::move(swapped);
}

void Applier::check_whole() const {
  if (!torn_.empty()) {
    throw Error(Errc::kAccess, kTornText);
  }
}

}  // namespace

void insert(Staging& staging) {
  Inserter inserter(Inserter::Turns::kYield);
  inserter.functions(staging.functions());
  for (const auto& [db, keys] : staging.databases()) {
    inserter.select(db);
    keys.for_each([&](std::string_view key, const Incoming& incoming, const auto& parts) {
      put_with_parts(inserter, key, incoming, parts);
    });
  }
}

Insertion::Insertion(std::shared_ptr<const Staging> staging, std::int64_t steps)
    : staging_(std::move(staging)),
      steps_left_(steps),
      work_of_step_(work_of(*staging_) / static_cast<std::size_t>(steps)),
      db_(staging_->databases().begin()) {
  inserter_.functions(staging_->functions());
}

std::int64_t Insertion::steps_for(const Staging& staging, std::int64_t most) {
  return std::clamp<std::int64_t>(static_cast<std::int64_t>(work_of(staging) / kWorkOfStep), 1,
                                  most);
}

bool Insertion::step(RedisModuleCtx* client) {
  const int selected = redis::GetSelectedDb(client);
  inserter_.call_for(client);
  const bool last = --steps_left_ == 0;
  if (last && planted(Fault::kRefusedPart)) {
    throw Error(Errc::kRefused, "a part was refused");
  }
  bool more = true;
  for (work_done_ = 0; more && (last || work_done_ < work_of_step_);) {
    more = insert_next();
  }
  redis::SelectDb(client, selected);
  return last;
}

bool Insertion::insert_next() {
  if (db_ == staging_->databases().end()) {
    return false;
  }
  inserter_.select(db_->first);
  if (!parts_left_.empty()) {
    work_done_ += work_of_part(parts_left_.front());
    inserter_.add_part(key_, parts_left_.front());
    parts_left_ = parts_left_.subspan(1);
    return true;
  }
  if (inserter_.finish_streams()) {
    ++work_done_;
    return true;
  }
  const auto insert = [this](std::string_view key, const Incoming& incoming, const auto& parts) {
    work_done_ += work_of(incoming);
    if (!incoming.in_parts) {
      inserter_.put(key, incoming);
    }
    key_ = key;
    parts_left_ = parts;
  };
  if (!db_->second.visit_next(next_, insert)) {
    ++db_;
    next_ = 0;
  }
  return true;
}

void insert(Stream& stream, const Suitability& suitability) {
  Applier applier(suitability);
  try {
    while (const Change* change = stream.next([&] { applier.idle(); })) {
      applier.apply(*change);
    }
    applier.finish();
    applier.check_whole();
  } catch (const Error& error) {
    stream.refuse(error);
    throw;
  }
}

}  // namespace rdmasync::replica

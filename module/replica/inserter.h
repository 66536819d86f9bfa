#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "module/log/elements.h"
#include "module/redis/commands_called.h"
#include "module/redis/held_settings.h"
#include "module/redis/owned.h"
#include "module/replica/sink.h"
#include "module/replica/unfinished_streams.h"

namespace rdmasync::replica {

/// Changes the keyspace as the records of a log say, through the module API. Nobody is told of it
/// but other modules, of keys that are loaded. Main thread, inside of a load. What the server
/// refuses throws Error(kRefused).
class Inserter {
 public:
  enum class Turns {
    kNone,   ///< clients wait
    kYield,  ///< between keys the server's clients are told that it loads, unless they are served
             ///< meanwhile: they must not see some of the keys without the others
  };
  explicit Inserter(Turns turns);
  Inserter(const Inserter&) = delete;
  Inserter& operator=(const Inserter&) = delete;
  ~Inserter();

  /// With the rights of this context's client from now on; it is in the selected database then.
  void call_for(RedisModuleCtx* client);
  void select(std::uint32_t db);

  // In the selected database.
  void put(std::string_view key, const Incoming& incoming);
  /// Throws Error(kProtocol) if there is nothing that it could change.
  void add_part(std::string_view key, const Incoming& part);
  void erase(std::string_view key);
  void flush();

  /// Puts a piece of a stream in place whose parts have all come: of some in any database. False if
  /// there is no more.
  bool finish_streams();

  void swap(std::uint32_t a, std::uint32_t b);
  void functions(std::string_view payload);

  /// Gives the server's clients a turn if they had none for long. Insertions call it by themselves.
  void give_turn();

 private:
  using Clock = std::chrono::steady_clock;

  void direct(std::string_view key, const Incoming& incoming);
  void packed(const Incoming& incoming);
  void set(RedisModuleString* name, RedisModuleString* value, const log::KeyMeta& meta);
  void restore(std::string_view key, const log::KeyMeta& meta, std::string_view payload);
  void add_bytes(std::string_view key, const Incoming& part, const log::EntryHead& head);
  void add_to_list(std::string_view key, const Incoming& part, const log::EntryHead& head);
  void add_members(std::string_view key, log::Elements elements);
  void add_elements(std::string_view key, const Incoming& part, const log::EntryHead& head);
  void add_to_stream(std::string_view key, const Incoming& part, const log::EntryHead& head);
  void append_to_stream(std::string_view name, const UnfinishedStreams::Unfinished& stream);
  void make_yielders();
  void call_with(const redis::CalledCommand& command,
                 const std::vector<std::string_view>& arguments);
  void changed(std::string_view key, const log::KeyMeta& meta, bool loaded);
  void inserted(RedisModuleString* name, const Incoming& incoming);
  void worked(std::size_t work);
  RedisModuleCtx* ctx() const { return client_ != nullptr ? client_ : own_.get(); }

  redis::Context own_;
  RedisModuleCtx* client_ = nullptr;
  redis::HeldSettings silence_;
  Turns turns_;
  std::optional<std::uint32_t> db_;
  UnfinishedStreams streams_;
  std::optional<std::pair<UnfinishedStreams::Key, UnfinishedStreams::Unfinished>> finishing_;
  std::size_t work_ = 0;  ///< since the last look at the clock
  Clock::time_point next_turn_{};
  /// The server lets each yield `hz` times a second only.
  std::array<redis::Context, 20> yielders_;
  std::size_t next_yielder_ = 0;
};

/// What it takes to insert that, in keys of few bytes.
std::size_t work_of(const Incoming& incoming);
/// The same of a part of a collection.
std::size_t work_of_part(const Incoming& part);

/// The address that the read of this key's value filled in the last load, or 0: for tests that no
/// copy was made.
std::uint64_t linked_address(std::uint32_t db, std::string_view key);

/// Whether to remember addresses for linked_address().
void remember_linked_addresses(bool on);

}  // namespace rdmasync::replica

#include "module/master/command_watch.h"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "module/master/known_commands.h"
#include "module/master/queued_changes.h"
#include "module/redis/context.h"
#include "module/redis/server.h"
#include "rdmasync/error.h"

namespace rdmasync::master {

namespace {

/// What is to be told of a command.
enum class Tell {
  kNothing,      ///< it notifies, or writes nothing
  kNow,          ///< its keys, which it writes when it comes, or when its transaction runs
  kElsewhere,    ///< the same, in a database that it names
  kFromNowOn,    ///< its keys, which it may write at any time, as when it blocks
  kAnything,     ///< it takes no keys, and may write any
  kSubcommand,   ///< what its subcommand says
  kMulti,        ///< what comes now is queued
  kTransaction,  ///< what was queued runs
};

/// The server says of this command that it reads; it writes a cached count into its key.
constexpr std::string_view kWritingRead = "pfcount";

bool has_flag(RedisModuleCallReply* flags, std::string_view flag) {
  for (std::size_t i = 0; i < redis::CallReplyLength(flags); ++i) {
    if (redis::view(redis::CallReplyArrayElement(flags, i)) == flag) {
      return true;
    }
  }
  return false;
}

/// By what the server says of it, also of one that redis.conf has renamed. Other modules need not
/// say of a command that it writes.
Tell of_info(RedisModuleCallReply* info) {
  constexpr std::size_t kFlags = 2;
  constexpr std::size_t kFirstKey = 3;
  constexpr std::size_t kSubcommands = 9;
  if (info == nullptr || redis::CallReplyType(info) != redis::kReplyArray) {
    return Tell::kNothing;
  }
  const std::string_view name = redis::view(redis::CallReplyArrayElement(info, 0));
  if (name == "multi") {
    return Tell::kMulti;
  }
  if (name == "exec") {
    return Tell::kTransaction;
  }
  if (redis::CallReplyLength(redis::CallReplyArrayElement(info, kSubcommands)) > 0) {
    return Tell::kSubcommand;
  }
  RedisModuleCallReply* flags = redis::CallReplyArrayElement(info, kFlags);
  const bool write = has_flag(flags, "write");
  const bool takes_keys =
      has_flag(flags, "movablekeys") ||
      redis::CallReplyInteger(redis::CallReplyArrayElement(info, kFirstKey)) != 0;
  if (write && !takes_keys) {
    return Tell::kAnything;
  }
  const bool may_write = write || (has_flag(flags, "module") && !has_flag(flags, "readonly"));
  return may_write && takes_keys ? Tell::kFromNowOn : Tell::kNothing;
}

/// Each name of a command, looked at once.
class Names {
 public:
  struct Known {
    Tell tell;
    std::size_t keys;  ///< of which it may name what it changes: its first arguments
  };

  explicit Names(bool generic_unseen) : generic_unseen_(generic_unseen) {}

  Known operator[](std::string_view name) {
    lower_.clear();
    return with(name);
  }

  /// Of a subcommand of the command that was asked for last.
  Tell subcommand(std::string_view name) {
    lower_ += '|';
    return with(name).tell;
  }

 private:
  static constexpr std::size_t kMost = 4096;

  Known with(std::string_view name) {
    std::transform(name.begin(), name.end(), std::back_inserter(lower_),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const auto known = known_.find(lower_);
    if (known != known_.end()) {
      return known->second;
    }
    if (known_.size() >= kMost) {
      known_.clear();  // a client sends nonsense names
    }
    return known_.emplace(lower_, Known{look_at(lower_), keys_with_named_changes(lower_)})
        .first->second;
  }

  Tell look_at(const std::string& name) const {
    const Notifies notifies = how_it_notifies(name);
    if (notifies == Notifies::kTyped || notifies == Notifies::kKeyless) {
      return Tell::kNothing;
    }
    if (notifies == Notifies::kGeneric) {
      if (!generic_unseen_) {
        return Tell::kNothing;
      }
      return name == "move" || name == "copy" ? Tell::kElsewhere : Tell::kNow;
    }
    if (name == kWritingRead) {
      return Tell::kFromNowOn;
    }
    try {
      const auto reply = redis::call(redis::module_context(), redis::kCommand, {"INFO", name});
      return of_info(redis::CallReplyArrayElement(reply.get(), 0));
    } catch (const Error&) {
      return Tell::kAnything;
    }
  }

  bool generic_unseen_;
  std::unordered_map<std::string, Known> known_;
  std::string lower_;
};

/// 0 where the server does not tell.
QueuedChanges::Client client_of(RedisModuleCommandFilterCtx* command) {
  return redis::CommandFilterGetClientId == nullptr ? 0 : redis::CommandFilterGetClientId(command);
}

bool runs_script_of_transaction() {
  constexpr int kBoth = redis::kCtxMulti | redis::kCtxLua;
  return (redis::GetContextFlags(redis::module_context()) & kBoth) == kBoth;
}

bool is_in_multi(QueuedChanges::Client client) {
  RedisModuleClientInfo info{};
  info.version = redis::kClientInfoVersion;
  return redis::GetClientInfoById(&info, client) == redis::kOk &&
         (info.flags & redis::kClientInMulti) != 0;
}

/// The names of keys in it; none if it is faulty.
std::vector<std::string_view> keys_of(RedisModuleCommandFilterCtx* command) {
  std::vector<RedisModuleString*> argv(
      static_cast<std::size_t>(redis::CommandFilterArgsCount(command)));
  for (std::size_t i = 0; i < argv.size(); ++i) {
    argv[i] = redis::CommandFilterArgGet(command, static_cast<int>(i));
  }
  int count = 0;
  const std::unique_ptr<int, void (*)(void*)> positions{
      redis::GetCommandKeys(redis::module_context(), argv.data(), static_cast<int>(argv.size()),
                            &count),
      [](void* memory) { redis::Free(memory); }};
  std::vector<std::string_view> keys;
  for (int i = 0; positions != nullptr && i < count; ++i) {
    keys.push_back(redis::view(argv.at(static_cast<std::size_t>(positions.get()[i]))));
  }
  return keys;
}

class CommandWatch {
 public:
  CommandWatch(WriteListener& listener, bool generic_unseen)
      : listener_(listener), names_(generic_unseen) {}

  void see(RedisModuleCommandFilterCtx* command);
  NamedChange* take_change(std::string_view event, std::string_view key);
  NamedChange* queued_change(std::string_view event, std::string_view key) {
    return queued_.named(event, key);
  }

 private:
  void look_for_change(RedisModuleCommandFilterCtx* command, std::size_t keys);
  bool follows_any(RedisModuleCommandFilterCtx* command, std::size_t keys) const;
  bool is_queued(RedisModuleCommandFilterCtx* command);
  void will_queue(QueuedChanges::Client client);
  void will_run_transaction(QueuedChanges::Client client);
  void will_write(RedisModuleCommandFilterCtx* command, bool elsewhere, std::string_view key);

  WriteListener& listener_;
  Names names_;
  std::string wrote_anything_;  ///< the last command that did
  NamedChange* change_of(std::string_view key);

  std::vector<NamedChange> changes_;  ///< of the command that came last
  QueuedChanges queued_;
  std::vector<std::string_view> words_;  ///< reused
};

std::unique_ptr<CommandWatch> g_watch;

/// `keys`: of Names::Known.
void CommandWatch::look_for_change(RedisModuleCommandFilterCtx* command, std::size_t keys) {
  changes_.clear();
  const bool in_transaction = is_queued(command);
  if (keys == 0 || (!in_transaction && !follows_any(command, keys))) {
    return;
  }
  words_.clear();
  for (int i = 0; i < redis::CommandFilterArgsCount(command); ++i) {
    words_.push_back(redis::view(redis::CommandFilterArgGet(command, i)));
  }
  changes_ = changes_named_by(words_);
  if (in_transaction) {
    return queued_.add(client_of(command), std::exchange(changes_, {}));
  }
  std::erase_if(changes_,
                [&](const NamedChange& change) { return !listener_.follows_parts_of(change.key); });
  // It may be held back, and then run after others that come later.
  if (!changes_.empty() && redis::AvoidReplicaTraffic() != 0) {
    listener_.stop_following_parts();
    changes_.clear();
  }
}

bool CommandWatch::follows_any(RedisModuleCommandFilterCtx* command, std::size_t keys) const {
  const auto count = static_cast<std::size_t>(redis::CommandFilterArgsCount(command));
  for (std::size_t i = 1; i <= keys && i < count; ++i) {
    auto* const key = redis::CommandFilterArgGet(command, static_cast<int>(i));
    if (listener_.follows_parts_of(redis::view(key))) {
      return true;
    }
  }
  return false;
}

bool CommandWatch::is_queued(RedisModuleCommandFilterCtx* command) {
  const auto client = client_of(command);
  if (!queued_.has_begun(client)) {
    return false;
  }
  if (!is_in_multi(client)) {
    queued_.forget(client);
    return false;
  }
  return true;
}

NamedChange* CommandWatch::change_of(std::string_view key) {
  const auto found = std::find_if(changes_.begin(), changes_.end(),
                                  [&](const NamedChange& change) { return change.key == key; });
  return found == changes_.end() ? nullptr : &*found;
}

NamedChange* CommandWatch::take_change(std::string_view event, std::string_view key) {
  for (NamedChange& change : changes_) {
    auto* const tells = std::find(change.events.begin(), change.events.end(), event);
    if (tells != change.events.end() && change.key == key) {
      *tells = {};
      return &change;
    }
  }
  return nullptr;
}

void CommandWatch::see(RedisModuleCommandFilterCtx* command) {
  // What is not a script's is a new command, or one that a queued one of another module calls.
  if (queued_.runs() && !runs_script_of_transaction()) {
    queued_.end_run();
  }
  const auto argument = [command](int i) {
    return redis::view(redis::CommandFilterArgGet(command, i));
  };
  auto [tell, keys] = names_[argument(0)];
  look_for_change(command, keys);
  if (tell == Tell::kSubcommand) {
    tell = redis::CommandFilterArgsCount(command) > 1 ? names_.subcommand(argument(1))
                                                      : Tell::kNothing;
  }
  switch (tell) {
    case Tell::kNothing:
    case Tell::kSubcommand:
      return;
    case Tell::kMulti:
      will_queue(client_of(command));
      return;
    case Tell::kTransaction:
      will_run_transaction(client_of(command));
      if (!wrote_anything_.empty()) {
        listener_.written_anywhere(wrote_anything_);
      }
      return;
    case Tell::kAnything:
      wrote_anything_ = argument(0);
      listener_.written_anywhere(wrote_anything_);
      return;
    case Tell::kFromNowOn:
    case Tell::kNow:
    case Tell::kElsewhere:
      break;
  }
  for (const std::string_view key : keys_of(command)) {
    if (tell == Tell::kFromNowOn) {
      listener_.written_silently(key, names_only_groups(argument(0)));
    } else {
      will_write(command, tell == Tell::kElsewhere, key);
    }
  }
}

void CommandWatch::will_queue(QueuedChanges::Client client) {
  // Another MULTI in a transaction is refused, and the transaction goes on.
  if (client != 0 && !is_in_multi(client)) {
    queued_.begin(client);
  }
}

void CommandWatch::will_run_transaction(QueuedChanges::Client client) {
  // It may be held back, and then run after others that come later.
  if (listener_.follows_parts() && redis::AvoidReplicaTraffic() != 0) {
    listener_.stop_following_parts();
  }
  queued_.run(client);
}

void CommandWatch::will_write(RedisModuleCommandFilterCtx* command, bool elsewhere,
                              std::string_view key) {
  // A paused client's command runs when the pause ends.
  const bool paused = redis::AvoidReplicaTraffic() != 0;
  if (redis::CommandFilterGetClientId == nullptr || paused) {
    return listener_.written_silently(key, false);
  }
  RedisModuleClientInfo client{};
  client.version = redis::kClientInfoVersion;
  // What a script or another module runs has no client that could be found, and runs at once.
  const bool found =
      redis::GetClientInfoById(&client, redis::CommandFilterGetClientId(command)) == redis::kOk;
  if (found && (client.flags & redis::kClientInMulti) != 0) {
    return listener_.written_silently(key, false);
  }
  if (!found || elsewhere) {
    return listener_.written_somewhere(key);
  }
  // That it deletes the key, as an EXPIRE may, is told apart (key_gone()).
  listener_.written(client.db, key, change_of(key),
                    redis::view(redis::CommandFilterArgGet(command, 0)));
}

}  // namespace

void start_command_watch(WriteListener& listener, bool generic_unseen) {
  g_watch.reset();
  g_watch = std::make_unique<CommandWatch>(listener, generic_unseen);
}

void stop_command_watch() {
  g_watch.reset();
}

bool watches_commands() {
  return g_watch != nullptr;
}

void watch_command(RedisModuleCommandFilterCtx* command) {
  g_watch->see(command);
}

NamedChange* take_named_change(std::string_view event, std::string_view key) {
  return g_watch ? g_watch->take_change(event, key) : nullptr;
}

NamedChange* queued_change(std::string_view event, std::string_view key) {
  return g_watch ? g_watch->queued_change(event, key) : nullptr;
}

}  // namespace rdmasync::master

#include "measurement.h"

#include <algorithm>
#include <sstream>

#include "tests/commands/payloads.h"
#include "tests/support/wait.h"

namespace rdmasync::test {
namespace {

constexpr int kLookedAt = 2;  // databases
constexpr int kKeysPerType = 2;
constexpr int kTriesForAChange = 25;

constexpr int kGenericClass = 1 << 2;
constexpr int kNewClass = 1 << 14;

ServerOptions without_our_module() {
  return {.load_module = false};
}

std::string name_of(Server& server) {
  const auto info = server.info("server");
  const auto valkey = info.find("valkey_version");
  return valkey != info.end() ? "valkey-" + valkey->second : "redis-" + info.at("redis_version");
}

Told worse(Told a, Told b) {
  return std::max(a, b);
}

/// An error where fields do not have them.
Command field_lives(const std::string& hash) {
  Command command = {"HPEXPIRETIME", hash, "FIELDS", std::to_string(Dice::kFields)};
  for (int i = 0; i < Dice::kFields; i++) {
    command.push_back("f" + std::to_string(i));
  }
  return command;
}

/// XINFO STREAM FULL without how the entries are spread over tree nodes.
std::string describe_stream(const Reply& reply) {
  std::string all;
  for (std::size_t i = 0; i + 1 < reply.elements.size(); i += 2) {
    if (reply.elements[i].text.starts_with("radix-tree")) {
      continue;
    }
    all += reply.elements[i].describe() + reply.elements[i + 1].describe();
  }
  return all;
}

/// Of one key that has changed.
Told told_by(const std::vector<int>& classes) {
  if (classes.empty()) {
    return Told::kSilent;
  }
  const bool typed = std::any_of(classes.begin(), classes.end(),
                                 [](int c) { return c != kGenericClass && c != kNewClass; });
  return typed ? Told::kTyped : Told::kGeneric;
}

}  // namespace

Measurement::Measurement(int changes)
    : changes_(changes),
      server_("measured", without_our_module()),
      elsewhere_("elsewhere", without_our_module()),
      dice_(1, playground_),
      client_(server_.connect()),
      blocking_(server_.connect()),
      server_name_(name_of(server_)) {
  playground_.largest_value = 300;
  playground_.short_lives = false;  // what changes is changed by a command
  playground_.keys_per_type = kKeysPerType;
  repertoire_.limit_to(server_);
  playground_.payloads = make_payloads(elsewhere_, repertoire_, playground_.short_lives);
  client_.must("TESTTYPE.HEARD");  // listens from now on
  for (const std::string type : Dice::types()) {
    add_keys(type);
  }
  for (const char* type : {"lex", "v"}) {
    add_keys(type);
  }
}

void Measurement::add_keys(const std::string& type) {
  for (int i = 0; i < kKeysPerType; i++) {
    keys_.push_back(type + ":" + std::to_string(i));
  }
}

Table Measurement::run() {
  std::map<std::string, std::vector<Recipe>> by_name;
  for (const Recipe& recipe : every_recipe()) {
    by_name[recipe.name].push_back(recipe);
  }
  Table table;
  for (const WriteCommand& command : write_commands(server_)) {
    if (command.name.starts_with("TESTTYPE.")) {
      continue;
    }
    Told& told = table[command.name];
    told = command.takes_keys ? Told::kUnseen : Told::kKeyless;
    if (command.takes_keys) {
      measure(by_name[command.name], told);
    }
  }
  return table;
}

void Measurement::measure(const std::vector<Recipe>& recipes, Told& told) {
  int changes = 0;
  for (int i = 0; i < changes_ * kTriesForAChange && changes < changes_ && !recipes.empty(); i++) {
    disturb();
    const Recipe& recipe = recipes.at(static_cast<std::size_t>(i) % recipes.size());
    const Command command = recipe.make(dice_);
    const Dataset before = dataset(command);
    heard();
    send(command, recipe.blocks);
    const Dataset after = dataset(command);
    Heard notified = heard();
    for (const auto& [place, value] : after) {
      if (value != before.at(place)) {
        told = worse(told, told_by(notified[place]));
      }
    }
    if (before != after) {
      changes++;
    }
  }
}

/// So that there is something to change.
void Measurement::disturb() {
  constexpr int kCommands = 4;
  std::vector<Command> commands;
  for (int i = 0; i < kCommands; i++) {
    commands.push_back({"SELECT", dice_.number(kLookedAt)});
    commands.push_back(repertoire_.any(dice_));
  }
  const auto vectors = vector_recipes();
  const int one = dice_.below(static_cast<int>(vectors.size()));
  commands.push_back(vectors[static_cast<std::size_t>(one)].make(dice_));
  run_all(client_, commands);
}

void Measurement::send(const Command& command, bool blocks) {
  const int db = dice_.below(kLookedAt);
  Client& client = blocks ? blocking_ : client_;
  client.must("SELECT", db);
  if (!blocks) {
    client.run(command);
    return;
  }
  const long long id = client.must("CLIENT", "ID").number;
  client.send(command);
  client.flush();
  const auto answered = [&] { return client.answers_within(std::chrono::milliseconds{0}); };
  const auto blocked = [&] { return server_.info("clients", "blocked_clients") == "1"; };
  wait_until("it is blocked or answered", [&] { return answered() || blocked(); });
  if (!answered()) {
    serve(db, command);
  }
  wait_until("it is answered or blocks no more", [&] {
    if (answered()) {
      return true;
    }
    client_.must("CLIENT", "UNBLOCK", id);
    return false;
  });
  client.receive();
}

/// Gives to the keys of the command that is blocked what it may be waiting for.
void Measurement::serve(int db, const Command& blocked) {
  client_.must("SELECT", db);
  for (const std::string& key : blocked) {
    if (key.starts_with("l:")) {
      client_.run({"RPUSH", key, "served"});
    }
    if (key.starts_with("z:")) {
      client_.run({"ZADD", key, "1", "served"});
    }
    if (key.starts_with("x:")) {
      client_.run({"XADD", key, "*", "field", "served"});
    }
  }
}

/// Of the keys that are named in the command, in all databases.
Measurement::Dataset Measurement::dataset(const Command& command) {
  std::vector<Place> places;
  std::vector<Command> commands;
  for (int db = 0; db < kLookedAt; db++) {
    commands.push_back({"SELECT", std::to_string(db)});
    for (const std::string& key : command) {
      if (std::find(keys_.begin(), keys_.end(), key) == keys_.end()) {
        continue;
      }
      places.emplace_back(db, key);
      commands.insert(commands.end(), {{"TYPE", key},
                                       {"DUMP", key},
                                       {"XINFO", "STREAM", key, "FULL", "COUNT", "0"},
                                       {"DEBUG", "DIGEST-VALUE", key},
                                       {"PEXPIRETIME", key},
                                       field_lives(key)});
    }
  }
  const std::vector<Reply> replies = run_all(client_, commands);
  Dataset all;
  auto reply = replies.begin();
  int db = -1;
  for (const Place& place : places) {
    if (place.first != db) {
      ++reply;  // of SELECT
    }
    db = place.first;
    const std::string type = (reply++)->text;
    const std::string dump = (reply++)->describe();
    const std::string stream = describe_stream(*reply++);
    const std::string digest = (reply++)->describe();
    // A digest knows nothing of groups, and a dump may differ where the values do not.
    all[place] = type == "stream" ? stream : type == "vectorset" ? dump : digest;
    all[place] += (reply++)->describe();
    all[place] += (reply++)->describe();
  }
  return all;
}

Measurement::Heard Measurement::heard() {
  std::istringstream lines(client_.must("TESTTYPE.HEARD").text);
  Heard all;
  int event_class = 0;
  Place place;
  while (lines >> event_class >> place.first >> place.second) {
    all[place].push_back(event_class);
  }
  return all;
}

}  // namespace rdmasync::test

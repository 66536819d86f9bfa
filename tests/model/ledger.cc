#include "ledger.h"

#include <memory>
#include <stdexcept>
#include <utility>

#include "tests/commands/dice.h"

namespace rdmasync::test {
namespace {

constexpr int kAccounts = 8;
constexpr int kCounters = 4;
constexpr long long kInitial = 1000;

// The arguments of both scripts: a database and a key, again and again.
constexpr const char* kSum =
    "local found, total = 0, 0 "
    "for i = 1, #ARGV, 2 do "
    "  redis.call('SELECT', ARGV[i]) "
    "  local value = redis.call('GET', ARGV[i + 1]) "
    "  if value then found = found + 1 total = total + tonumber(value) end "
    "end "
    "return {found, total}";
constexpr const char* kMove =
    "redis.call('SELECT', ARGV[2]) redis.call('DECRBY', ARGV[3], ARGV[1]) "
    "redis.call('SELECT', ARGV[4]) redis.call('INCRBY', ARGV[5], ARGV[1])";

}  // namespace

Ledger::Ledger(std::string name, std::vector<int> databases)
    : name_(std::move(name)), databases_(std::move(databases)), counted_(kCounters) {}

std::string Ledger::account(int i) const {
  return "account:" + name_ + ":" + std::to_string(i);
}
std::string Ledger::counter(int i) const {
  return "counter:" + name_ + ":" + std::to_string(i);
}
int Ledger::database(int i) const {
  return databases_.at(static_cast<std::size_t>(i) % databases_.size());
}

void Ledger::open(Server& master) {
  Client client = master.connect();
  client.must("MULTI");
  for (int i = 0; i < kAccounts; i++) {
    client.must("SELECT", database(i));
    client.must("SET", account(i), kInitial);
  }
  client.must("EXEC");
}

Crowd::Step Ledger::clerk(Server& master, std::uint64_t seed) {
  static const Playground nothing;
  auto client = std::make_shared<Client>(master.connect());
  auto dice = std::make_shared<Dice>(seed, nothing);
  return [this, client, dice] {
    std::vector<Command> commands;
    const int from = dice->below(kAccounts);
    const int to = dice->below(kAccounts);
    const std::string amount = dice->number(50);
    const std::string db_from = std::to_string(database(from));
    const std::string db_to = std::to_string(database(to));
    if (dice->one_in(2)) {
      commands = {{"MULTI"},
                  {"SELECT", db_from},
                  {"DECRBY", account(from), amount},
                  {"SELECT", db_to},
                  {"INCRBY", account(to), amount},
                  {"EXEC"}};
    } else {
      commands = {{"EVAL", kMove, "0", amount, db_from, account(from), db_to, account(to)}};
    }
    const int counted = dice->below(kCounters);
    commands.push_back({"SELECT", std::to_string(database(counted))});
    const int times = dice->between(1, 5);
    for (int i = 0; i < times; i++) {
      commands.push_back({"INCR", counter(counted)});
    }
    for (const Command& command : commands) {
      client->send(command);
    }
    for (std::size_t i = 0; i < commands.size(); i++) {
      if (const Reply reply = client->receive(); reply.is_error()) {
        throw ErrorReply(reply.text);
      }
    }
    counted_[static_cast<std::size_t>(counted)] += times;
    return static_cast<int>(commands.size());
  };
}

Command Ledger::sum_command() const {
  Command command = {"EVAL", kSum, "0"};
  for (int i = 0; i < kAccounts; i++) {
    command.push_back(std::to_string(database(i)));
    command.push_back(account(i));
  }
  return command;
}

Ledger::Sum Ledger::sum_of(const Reply& reply) {
  return {static_cast<int>(reply.elements.at(0).number), reply.elements.at(1).number};
}

std::string Ledger::wrong(const Sum& sum) const {
  constexpr long long kTotal = kAccounts * kInitial;
  if (sum.accounts == kAccounts && sum.total == kTotal) {
    return {};
  }
  return "the " + std::to_string(sum.accounts) + " accounts " + account(0) + "... hold " +
         std::to_string(sum.total) + " instead of " + std::to_string(kTotal) + " in " +
         std::to_string(kAccounts);
}

Crowd::Step Ledger::auditor(Server& replica) const {
  auto client = std::make_shared<Client>(replica.connect());
  auto loaded = std::make_shared<bool>(false);
  return [this, client, loaded, name = replica.name()] {
    const Reply reply = client->run(sum_command());
    if (reply.is_error()) {
      if (reply.text.starts_with("LOADING") || reply.text.starts_with("MASTERDOWN")) {
        return 0;
      }
      throw ErrorReply(reply.text);
    }
    const Sum sum = sum_of(reply);
    if (sum.accounts == 0 && !*loaded) {
      return 0;
    }
    *loaded = true;
    if (const std::string found = wrong(sum); !found.empty()) {
      throw std::runtime_error("in between, on " + name + ": " + found);
    }
    return 0;
  };
}

std::string Ledger::difference(Server& server) const {
  Client client = server.connect();
  if (std::string found = wrong(sum_of(client.checked(sum_command()))); !found.empty()) {
    return server.name() + ": " + found;
  }
  for (int i = 0; i < kCounters; i++) {
    client.must("SELECT", database(i));
    const Reply reply = client.must("GET", counter(i));
    const long long expected = counted_[static_cast<std::size_t>(i)];
    const std::string shown = reply.is_nil() ? "0" : reply.text;
    if (shown != std::to_string(expected)) {
      return server.name() + ": " + counter(i) + " in db " + std::to_string(database(i)) + " is " +
             shown + " after " + std::to_string(expected) + " INCR";
    }
  }
  return {};
}

}  // namespace rdmasync::test

#include "tests/commands/crowd.h"

#include <chrono>
#include <memory>
#include <utility>

#include "tests/commands/units.h"
#include "tests/support/wait.h"

namespace rdmasync::test {
namespace {

// Who had nothing to do looks again after this.
constexpr std::chrono::milliseconds kIdle{1};

}  // namespace

Crowd::~Crowd() {
  join();
}

void Crowd::add(Step step) {
  threads_.emplace_back([this, step = std::move(step)] { run(step); });
}

void Crowd::run(const Step& step) {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !paused_; });
    if (stopping_) {
      return;
    }
    busy_++;
    lock.unlock();
    std::exception_ptr failure;
    int answered = 0;
    try {
      answered = step();
      answered_ += static_cast<std::uint64_t>(answered);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    busy_--;
    changed_.notify_all();
    if (failure) {
      failure_ = failure;
      return;
    }
    if (answered == 0) {
      changed_.wait_for(lock, kIdle);
    }
  }
}

void Crowd::check() {
  if (failure_) {
    std::rethrow_exception(failure_);
  }
}

void Crowd::pause() {
  std::unique_lock lock(mutex_);
  paused_ = true;
  changed_.wait(lock, [this] { return busy_ == 0; });
  check();
}

void Crowd::resume() {
  const std::lock_guard lock(mutex_);
  paused_ = false;
  changed_.notify_all();
}

void Crowd::join() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  for (std::thread& thread : threads_) {
    thread.join();
  }
  threads_.clear();
}

void Crowd::stop() {
  join();
  check();
}

void Crowd::go_on(std::uint64_t commands) {
  const std::uint64_t enough = answered_ + commands;
  wait_until("more is written", [&] {
    const std::lock_guard lock(mutex_);
    check();
    return answered_ >= enough;
  });
}

namespace {

/// A transaction that is queued now and runs much later.
class HeldTransaction {
 public:
  HeldTransaction(Client client, int hold) : client_(std::move(client)), hold_(hold) {}

  int step(const Repertoire& repertoire, Dice& dice) {
    int sent = 0;
    const auto send = [&](const Command& command) {
      client_.send(command);
      sent++;
    };
    if (!open_) {
      send({"SELECT", dice.database()});
      send({"MULTI"});
      for (int left = dice.between(1, 4); left > 0; left--) {
        send(held_command(repertoire, dice));
      }
      open_ = true;
    } else if (dice.one_in(hold_)) {
      send({dice.one_in(12) ? "DISCARD" : "EXEC"});
      open_ = false;
    } else if (dice.one_in(hold_)) {
      send(held_command(repertoire, dice));
    }
    for (int left = sent; left > 0; left--) {
      client_.receive();
    }
    return sent;
  }

 private:
  Client client_;
  int hold_;
  bool open_ = false;
};

/// Until so many replicas have what it wrote.
void wait_for(Client& client, int followers) {
  constexpr const char* kLongestMs = "100";
  if (followers > 0) {
    client.run({"WAIT", std::to_string(followers), kLongestMs});
  }
}

class Mixer {
 public:
  Mixer(Server& server, const Repertoire& repertoire, const Playground& playground,
        std::uint64_t seed, int batch, int followers)
      : repertoire_(repertoire),
        dice_(seed, playground),
        batch_(batch),
        followers_(followers),
        client_(server.connect()) {}

  int step() {
    int sent = 0;
    while (sent < batch_) {
      for (const Command& command : next_unit(repertoire_, dice_)) {
        client_.send(command);
        sent++;
      }
    }
    for (int left = sent; left > 0; left--) {
      client_.receive();
    }
    wait_for(client_, followers_);
    return sent;
  }

 private:
  const Repertoire& repertoire_;
  Dice dice_;
  int batch_;
  int followers_;
  Client client_;
};

}  // namespace

Crowd::Step mixer(Server& server, const Repertoire& repertoire, const Playground& playground,
                  std::uint64_t seed, int batch, int followers) {
  // A function must be copyable, a connection is not.
  auto mixer = std::make_shared<Mixer>(server, repertoire, playground, seed, batch, followers);
  return [mixer] { return mixer->step(); };
}

Crowd::Step holder(Server& server, const Repertoire& repertoire, const Playground& playground,
                   const Playground& kept, std::uint64_t seed, int hold) {
  constexpr int kTransactions = 16;
  auto transactions = std::make_shared<std::vector<HeldTransaction>>();
  for (int i = 0; i < kTransactions; i++) {
    transactions->emplace_back(server.connect(), hold);
  }
  auto dice = std::make_shared<Dice>(seed, playground);
  auto of_kept = std::make_shared<Dice>(seed, kept);
  return [transactions, dice, of_kept, &repertoire] {
    const int i = dice->below(kTransactions);
    return transactions->at(static_cast<std::size_t>(i))
        .step(repertoire, i % 2 == 0 ? *dice : *of_kept);
  };
}

Crowd::Step flood(Server& server, const Playground& playground, int followers) {
  constexpr int kKeys = 700;
  auto client = std::make_shared<Client>(server.connect());
  auto count = std::make_shared<int>(0);
  return [client, count, followers, name = "flood:" + playground.slot] {
    Command command = {"MSET"};
    for (int i = 0; i < kKeys; i++) {
      command.push_back(name + std::to_string(i));
      command.push_back(std::to_string(*count));
    }
    ++*count;
    client->run(command);
    wait_for(*client, followers);
    return 1;
  };
}

Crowd::Step waiter(Server& server, const Repertoire& repertoire, const Playground& playground,
                   std::uint64_t seed) {
  auto client = std::make_shared<Client>(server.connect());
  auto other = std::make_shared<Client>(server.connect());
  auto dice = std::make_shared<Dice>(seed, playground);
  const std::string id = client->must("CLIENT", "ID").describe();
  return [client, other, dice, id, &repertoire] {
    if (dice->one_in(4)) {
      client->run({"SELECT", dice->database()});
    }
    client->send(repertoire.blocking(*dice));
    client->flush();
    // In Valkey 8.1 a client that is woken in vain forgets how long it was to wait.
    constexpr std::chrono::seconds kLong{1};
    while (!client->answers_within(kLong)) {
      // Servers end at CLIENT UNBLOCK of a client that CLIENT PAUSE holds.
      run_all(*other, {{"MULTI"}, {"CLIENT", "UNPAUSE"}, {"CLIENT", "UNBLOCK", id}, {"EXEC"}});
    }
    client->receive();
    return 1;
  };
}

}  // namespace rdmasync::test

#include "module/replica/stream.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <string>
#include <thread>

namespace rdmasync::replica {
namespace {

constexpr std::size_t kMuch = 64U << 20;  // bytes; more than it holds

Incoming given_in_log(std::string_view entry) {
  Incoming incoming;
  incoming.entry = entry;
  return incoming;
}

Incoming landing_in(std::shared_ptr<Landing> landing) {
  Incoming incoming;
  incoming.landing = std::move(landing);
  return incoming;
}

void has_landed(Stream& stream, const std::shared_ptr<Landing>& landing, Landing::State how) {
  landing->state = how;
  stream.landed(landing);
}

bool readable(int fd) {
  pollfd one{fd, POLLIN, 0};
  return ::poll(&one, 1, 0) == 1;
}

const auto no_idle = [] { FAIL() << "there is a change"; };

TEST(Stream, ChangesComeInTheOrderOfTheLog) {
  Stream stream;
  stream.put(3, "a", given_in_log("entry"));
  stream.erase(4, "b");
  stream.swap(5, 6);
  stream.flush(7);
  stream.set_functions("functions", {});
  stream.given({}, 100);
  stream.end();
  EXPECT_FALSE(stream.begun());

  Change* change = stream.next(no_idle);
  EXPECT_TRUE(stream.begun());
  EXPECT_EQ(change->kind, Change::Kind::kPut);
  EXPECT_EQ(change->db, 3U);
  EXPECT_EQ(change->key, "a");
  EXPECT_EQ(change->incoming.entry, "entry");
  EXPECT_EQ((change = stream.next(no_idle))->kind, Change::Kind::kErase);
  EXPECT_EQ(change->key, "b");
  EXPECT_EQ((change = stream.next(no_idle))->kind, Change::Kind::kSwap);
  EXPECT_EQ(change->other_db, 6U);
  EXPECT_EQ(stream.next(no_idle)->db, 7U);
  EXPECT_EQ(stream.next(no_idle)->incoming.entry, "functions");
  EXPECT_EQ(stream.next(no_idle), nullptr);
  EXPECT_EQ(stream.keys(), 1U);
}

TEST(Stream, AChangeWaitsUntilItsBytesHaveLanded) {
  Stream stream;
  const auto first = std::make_shared<Landing>();
  const auto second = std::make_shared<Landing>();
  stream.put(0, "first", landing_in(first));
  stream.put(0, "second", landing_in(second));
  stream.put(0, "third", given_in_log("entry"));
  stream.given({}, 100);
  has_landed(stream, second, Landing::State::kWhole);
  int idle = 0;
  const auto land_first = [&] {
    ++idle;
    has_landed(stream, first, Landing::State::kTorn);
  };
  Change* change = stream.next(land_first);
  EXPECT_EQ(idle, 1);
  EXPECT_EQ(change->key, "first");
  EXPECT_EQ(change->incoming.landing->state, Landing::State::kTorn);
  EXPECT_EQ(stream.next(no_idle)->key, "second");
  EXPECT_EQ(stream.next(no_idle)->key, "third");
}

TEST(Stream, BytesStayUntilTheNextChange) {
  Stream stream;
  auto block = std::make_shared<std::string>("bytes");
  const std::weak_ptr<std::string> held = block;
  stream.put(0, "a", given_in_log(*block));
  stream.given(std::move(block), 5);
  stream.end();
  EXPECT_EQ(stream.next(no_idle)->incoming.entry, "bytes");
  EXPECT_FALSE(held.expired());
}

TEST(Stream, WantsNoMoreThanItCanHold) {
  Stream stream;
  EXPECT_FALSE(stream.full());
  EXPECT_FALSE(readable(stream.room_fd()));
  stream.put(0, "a", given_in_log("entry"));
  stream.given({}, kMuch);
  stream.put(0, "b", given_in_log("entry"));
  stream.given({}, 1);
  EXPECT_TRUE(stream.full());
  EXPECT_EQ(stream.next(no_idle)->key, "a");
  EXPECT_TRUE(stream.full()) << "it is being inserted";
  EXPECT_FALSE(readable(stream.room_fd()));
  const auto landing = std::make_shared<Landing>();
  stream.put(0, "c", landing_in(landing));
  has_landed(stream, landing, Landing::State::kWhole);
  stream.given({}, 1);
  EXPECT_EQ(stream.next(no_idle)->key, "b");
  EXPECT_EQ(stream.next(no_idle)->key, "c");
  EXPECT_TRUE(readable(stream.room_fd()));
  EXPECT_FALSE(stream.full());
}

TEST(Stream, OneThatFailsEndsTheLoad) {
  Stream stream;
  stream.fail("the master has gone");
  stream.end();
  try {
    stream.next(no_idle);
    FAIL() << "it was the end";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::kCancelled);
    EXPECT_STREQ(error.what(), "the master has gone");
  }
}

TEST(Stream, NothingFailsAfterTheEnd) {
  Stream stream;
  stream.end();
  stream.fail("too late");
  EXPECT_EQ(stream.next(no_idle), nullptr);
}

TEST(Stream, ARefusalIsToldToThePull) {
  Stream stream;
  stream.given({}, kMuch);
  stream.refuse(Error(Errc::kUsage, "not suitable"));
  EXPECT_TRUE(readable(stream.room_fd())) << "so that it looks";
  EXPECT_THROW(stream.full(), Error);
  EXPECT_THROW(stream.given({}, 1), Error);
  EXPECT_THROW(stream.check_not_refused(), Error);
}

/// For the sanitizers: each end on a thread of its own, and values that land late.
TEST(Stream, TwoThreads) {
  constexpr int kBatches = 300;
  constexpr int kChanges = 20;
  Stream stream;
  std::jthread pull([&] {
    std::vector<std::shared_ptr<Landing>> late;
    for (int i = 0; i < kBatches; i++) {
      auto block = std::make_shared<std::string>(std::to_string(i));
      for (int j = 0; j < kChanges; j++) {
        stream.put(0, *block, given_in_log(*block));
      }
      late.push_back(std::make_shared<Landing>());
      stream.put(0, *block, landing_in(late.back()));
      stream.given(block, kMuch / 100);
      while (stream.full()) {
        for (const auto& landing : late) {
          landing->bytes = "landed";
          has_landed(stream, landing, Landing::State::kWhole);
        }
        late.clear();
        pollfd room{stream.room_fd(), POLLIN, 0};
        ::poll(&room, 1, -1);
      }
    }
    for (const auto& landing : late) {
      landing->bytes = "landed";
      has_landed(stream, landing, Landing::State::kWhole);
    }
    stream.end();
  });
  int seen = 0;
  while (const Change* change = stream.next([] {})) {
    EXPECT_EQ(change->key, std::to_string(seen / (kChanges + 1)));
    if (change->incoming.landing) {
      EXPECT_EQ(change->incoming.landing->bytes, "landed");
    }
    ++seen;
  }
  EXPECT_EQ(seen, kBatches * (kChanges + 1));
}

}  // namespace
}  // namespace rdmasync::replica

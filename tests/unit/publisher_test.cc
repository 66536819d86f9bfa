#include "module/master/publisher.h"

#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

namespace rdmasync::master {
namespace {

using log_format::Kind;
using log_format::RemoteBytes;

/// Registers everything in so many parts, or, if these are none, nothing but the ring.
class FabricOfParts final : public rdma::Fabric {
 public:
  std::string_view name() const override { return "parts"; }
  std::unique_ptr<rdma::MemoryRegion> register_memory(std::span<std::byte> bytes,
                                                      rdma::Access) override {
    if (parts == 0) {
      throw Error(Errc::kResources, "no room for another region");
    }
    return std::make_unique<Region>(bytes, parts);
  }
  std::unique_ptr<rdma::Listener> listen(const rdma::ListenOptions&) override { return nullptr; }
  std::unique_ptr<rdma::Connection> connect(const rdma::ConnectOptions&) override {
    return nullptr;
  }

  std::size_t parts = 1;

 private:
  class Region final : public rdma::MemoryRegion {
   public:
    Region(std::span<std::byte> bytes, std::size_t parts) : bytes_(bytes), further_(parts - 1) {
      std::iota(further_.begin(), further_.end(), 101);
    }
    rdma::PartKeys rkeys() const override {
      return {.first = 100,
              .further = further_,
              .part_size = bytes_.size() / (further_.size() + 1),
              .start = reinterpret_cast<std::uintptr_t>(bytes_.data())};
    }

   private:
    std::span<std::byte> bytes_;
    std::vector<std::uint32_t> further_;
  };
};

class PublisherTest : public ::testing::Test {
 protected:
  void publish_value(std::size_t parts) {
    fabric_.parts = parts;
    publisher_.put_direct(3, "key", {}, value_);
    await_registration();
  }
  void put_cut() {
    log::RecordInfo info;
    info.kind = Kind::kCut;
    publisher_.put(info, "12345678");
  }
  void await_registration() {
    while (woken_.load() == 0) {
      std::this_thread::yield();
    }
  }

  FabricOfParts fabric_;
  log::Ring ring_{fabric_, 64 << 10};
  std::atomic<int> woken_ = 0;
  Registrar registrar_{fabric_, [this] { ++woken_; }};
  std::vector<std::string> lost_;
  Publisher publisher_{
      ring_, registrar_, 1 << 20,
      [this](std::uint32_t, std::string_view key, const Error&) { lost_.emplace_back(key); }};
  std::vector<std::byte> value_ = std::vector<std::byte>(12'000);
};

TEST_F(PublisherTest, ARecordNamesEveryPartOfItsValue) {
  publish_value(3);
  publisher_.advance();
  ASSERT_GT(ring_.head(), 0U);
  const auto record = log::read_record(ring_.bytes_from(0), value_.size() / 3);
  ASSERT_TRUE(record && record->remote);
  EXPECT_EQ(record->key, "key");
  const RemoteBytes& remote = record->remote->bytes;
  EXPECT_EQ(remote.address, reinterpret_cast<std::uintptr_t>(value_.data()));
  EXPECT_EQ(remote.length, value_.size());
  EXPECT_EQ(remote.rkey, 100U);
  EXPECT_EQ(record->remote->further_rkeys, (std::vector<std::uint32_t>{101, 102}));
  EXPECT_EQ(publisher_.pinned_bytes(), value_.size());
  publisher_.release(ring_.head());
  EXPECT_EQ(publisher_.pinned_bytes(), 0U);
}

TEST_F(PublisherTest, MorePartsThanTheLogCanNameAreAnError) {
  publish_value(3000);
  try {
    publisher_.advance();
    FAIL() << "published";
  } catch (const Error& error) {
    const std::string what = error.what();
    EXPECT_NE(what.find("3000 parts"), std::string::npos) << what;
    EXPECT_NE(what.find("rdmasync.export-memory"), std::string::npos) << what;
  }
}

TEST_F(PublisherTest, AValueThatCannotBeRegisteredIsLost) {
  publish_value(0);
  publisher_.advance();
  EXPECT_EQ(lost_, std::vector<std::string>{"key"});
  EXPECT_EQ(publisher_.pinned_bytes(), 0U);
  EXPECT_EQ(ring_.head(), 0U);
}

TEST_F(PublisherTest, NoCutIsPublishedWithoutAValueBeforeIt) {
  publish_value(0);
  put_cut();
  EXPECT_THROW(publisher_.advance(), Error);
  EXPECT_TRUE(lost_.empty());
  EXPECT_EQ(ring_.head(), 0U);
}

}  // namespace
}  // namespace rdmasync::master
